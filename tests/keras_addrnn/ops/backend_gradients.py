"""Gradients and compilation of the composed op in each backend's own way."""

import keras
import numpy as np

from tests.support import call, to_numpy


def _loss(problem, tensors):
    outputs, state = call(problem, "composed", tensors)
    d_outputs = keras.ops.convert_to_tensor(problem.d_outputs, "float32")
    d_state = keras.ops.convert_to_tensor(problem.d_state, "float32")
    return keras.ops.sum(outputs * d_outputs) + keras.ops.sum(state * d_state)


def _float32(problem):
    return {n: np.asarray(array, "float32") for n, array in problem.arrays.items()}


def gradients(problem):
    """The gradients of the problem's arguments in float32, as float64 NumPy, on any backend."""
    backend = keras.backend.backend()
    arrays = _float32(problem)
    if backend == "jax":
        import jax

        results = jax.grad(lambda tensors: _loss(problem, tensors))(arrays)
    elif backend == "torch":
        import torch

        tensors = {n: torch.tensor(array, requires_grad=True) for n, array in arrays.items()}
        _loss(problem, tensors).backward()
        results = {n: tensor.grad for n, tensor in tensors.items()}
    else:
        import tensorflow as tf

        tensors = {n: tf.constant(array) for n, array in arrays.items()}
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            loss = _loss(problem, tensors)
        results = tape.gradient(loss, tensors)
    return {n: to_numpy(gradient) for n, gradient in results.items()}


def compiled(problem):
    """`{"outputs", "state"}` by the backend's compiler; PyTorch runs eagerly."""
    backend = keras.backend.backend()

    def run(tensors):
        return call(problem, "composed", tensors)

    if backend == "jax":
        import jax

        run = jax.jit(run)
    elif backend == "tensorflow":
        import tensorflow as tf

        run = tf.function(run, jit_compile=True)
    tensors = {n: keras.ops.convert_to_tensor(a) for n, a in _float32(problem).items()}
    outputs, state = run(tensors)
    return {"outputs": to_numpy(outputs), "state": to_numpy(state)}
