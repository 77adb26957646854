"""Tensors of each backend, and results and gradients of functions of them in its own way."""

import contextlib

import numpy as np


def allowed(dtype):
    """A context in which the backend has that dtype: JAX has float64 on demand only."""
    import keras

    if keras.backend.backend() != "jax" or dtype != "float64":
        return contextlib.nullcontext()

    import jax

    return jax.enable_x64(True)


def to_numpy(tensor):
    """Any backend's tensor as float64 NumPy."""
    import keras

    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float64")))


def tensors_of(arrays, dtype):
    """The backend's tensors, by name."""
    import keras

    return {name: keras.ops.convert_to_tensor(array, dtype) for name, array in arrays.items()}


def results_of(function, arrays, dtype="float32", compiled=False):
    """The tensors `{name: tensor}` that `function({name: tensor})` returns, as float64 NumPy.

    `compiled`: by XLA, where the backend has it. JAX compiles in any case, as its operations one by
    one take seconds.
    """
    import keras

    with allowed(dtype):
        results = _compiled(function, compiled)(tensors_of(arrays, dtype))
        dtypes = {keras.backend.standardize_dtype(result.dtype) for result in results.values()}
        assert dtypes == {dtype}
        return {name: to_numpy(result) for name, result in results.items()}


def results_and_gradients(function, arrays, upstream, dtype="float32", compiled=False):
    """What `results_of` returns, and the gradients of the arrays, by name.

    `upstream` has the gradients that arrive at the results, by name. A result without one takes no
    part. A gradient of an array that nothing depends on is 0.
    """
    import keras

    differentiate = _DIFFERENTIATE[keras.backend.backend()]
    with allowed(dtype):
        found = differentiate(
            function, tensors_of(arrays, dtype), tensors_of(upstream, dtype), compiled
        )
        dtypes = {keras.backend.standardize_dtype(t.dtype) for part in found for t in part.values()}
        assert dtypes == {dtype}
        return tuple({name: to_numpy(tensor) for name, tensor in part.items()} for part in found)


def _compiled(function, compiled):
    import keras

    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "tensorflow" and compiled:
        import tensorflow as tf

        return tf.function(function, jit_compile=True)
    return function


def _on_tensorflow(function, tensors, upstream, compiled):
    import tensorflow as tf

    def differentiate(tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            results = function(tensors)
        gradients = tape.gradient(
            [results[name] for name in upstream],
            tensors,
            output_gradients=list(upstream.values()),
            unconnected_gradients="zero",
        )
        return results, gradients

    return _compiled(differentiate, compiled)(tensors)


def _on_jax(function, tensors, upstream, compiled):
    import jax
    import jax.numpy as jnp

    def differentiate(tensors):
        results, backward = jax.vjp(function, tensors)
        arriving = {n: upstream.get(n, jnp.zeros_like(result)) for n, result in results.items()}
        return results, backward(arriving)[0]

    return _compiled(differentiate, compiled)(tensors)


def _on_torch(function, tensors, upstream, compiled):
    import torch

    tensors = {name: tensor.requires_grad_() for name, tensor in tensors.items()}
    results = function(tensors)
    gradients = {name: torch.zeros_like(tensor) for name, tensor in tensors.items()}
    # PyTorch refuses to be asked for the gradient of what depends on none of the tensors.
    asked = [name for name in upstream if results[name].requires_grad]
    if asked:
        found = torch.autograd.grad(
            [results[name] for name in asked],
            list(tensors.values()),
            [upstream[name] for name in asked],
            allow_unused=True,
            materialize_grads=True,
        )
        gradients = dict(zip(tensors, found, strict=True))
    return {name: result.detach() for name, result in results.items()}, gradients


_DIFFERENTIATE = {"tensorflow": _on_tensorflow, "jax": _on_jax, "torch": _on_torch}
