"""Results and gradients of the op on JAX, of AddGRU and MinAddGRU alike."""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np

DTYPES = ("float16", "bfloat16", "float32", "float64")
# Of values and gradients.
TOLERANCE = {"float16": 2e-2, "bfloat16": 1.5e-1, "float32": 1e-5, "float64": 1e-11}


def allowed(dtype):
    """A context in which JAX has that dtype: it has float64 on demand only."""
    return jax.enable_x64(True) if dtype == "float64" else contextlib.nullcontext()


def tensors_of(problem, dtype="float32"):
    """The differentiable arguments by name, as arrays of JAX."""
    return {name: jnp.asarray(array, dtype) for name, array in problem.arrays.items()}


def weighted(results, problem, dtype="float32"):
    """The loss whose gradients with respect to the results are those of the problem."""
    weights = problem.d_outputs, problem.d_state
    return sum(
        jnp.sum(result.astype("float32" if dtype != "float64" else dtype) * weight)
        for result, weight in zip(results, weights, strict=True)
    )


def as_float64(tree):
    return {name: np.asarray(array, np.float64) for name, array in tree.items()}


def differentiated(op, problem, dtype="float32", compiled=True):
    """Results `{"outputs", "state"}` and the gradients by argument, as float64 NumPy."""

    def loss(tensors):
        outputs, state = op(**tensors, mask=problem.mask, **problem.settings)
        return weighted((outputs, state), problem, dtype), {"outputs": outputs, "state": state}

    function = jax.value_and_grad(loss, has_aux=True)
    if compiled:
        function = jax.jit(function)
    with allowed(dtype):
        (_, results), gradients = function(tensors_of(problem, dtype))
        assert {array.dtype.name for array in results.values()} == {dtype}
        assert {array.dtype.name for array in gradients.values()} == {dtype}
        return as_float64(results), as_float64(gradients)
