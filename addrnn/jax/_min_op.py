"""The op of the recurrence with gates on inputs alone, as a function of JAX's arrays."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from addrnn import _validation
from addrnn.gate import ACTIVATIONS, DTYPES
from addrnn.jax import _call, _library, _min_gradient
from addrnn.jax._op import or_empty
from addrnn.window_sequence import WindowTensors, check_dtypes, check_shapes


def min_add_gru(
    inputs: Any,
    kernel: Any,
    bias: Any = None,
    initial_state: Any = None,
    mask: Any = None,
    initial_inputs: Any = None,
    *,
    activation: str = "relu",
    go_backwards: bool = False,
) -> tuple[jax.Array, jax.Array]:
    """A recurrence whose addition-based gates read the inputs alone, over whole sequences.

    With `w` the number of inputs that a step reads, `u_t` the update gate and `c_t` the candidate,

        [u_t | z_t] = x_{t-w+1} @ kernel[0] + ... + x_t @ kernel[w - 1] + bias
        c_t = activation(z_t)
        h_t = max(h_{t-1} - relu(-u_t), relu(c_t - relu(u_t)))

    It works with JAX's transformations as `add_gru` does. docs/explanation/parallel-in-time.md has
    the sources.

    Args:
        inputs: Floating-point array `[B, T, D]`, or what makes one. `B` and `T` may be 0.
        kernel: Array `[w, D, 2H]`.
        bias: Array `[2H]`. None for zeros.
        initial_state: Array `[B, H]`, of which numbers below 0 count as 0. None for zeros.
        mask: Boolean array `[B, T]`. At a step where it is False the state stays as it is, and is
            the output of that step too. Its input reads as 0.
        initial_inputs: Array `[B, w - 1, D]`, the inputs before the first step, oldest first. None
            for zeros.
        activation: Of the candidate: `"linear"`, `"relu"`, `"hard_tanh"` or `"tanh"`.
        go_backwards: Whether to read inputs and mask from the last step to the first. The outputs
            are in the order of processing.

    Returns:
        A tuple `(outputs, state)`: the states after each step `[B, T, H]`, and the last `[B, H]`.

    Raises:
        ValueError: A shape or a setting does not fit. Its `argument` is the argument's name.
        TypeError: The arrays have different dtypes, or not a floating-point one.
        RuntimeError: The compiled core cannot be used; says what to do.

    Example:

    >>> x = jax.random.normal(jax.random.key(0), (32, 10, 8))
    >>> kernel = jax.random.normal(jax.random.key(1), (3, 8, 2 * 4))
    >>> outputs, state = addrnn.jax.min_add_gru(x, kernel)
    >>> outputs.shape, state.shape
    ((32, 10, 4), (32, 4))
    """
    _validation.one_of("activation", activation, ACTIVATIONS)
    go_backwards = _validation.flag("go_backwards", go_backwards)
    given = WindowTensors(inputs, kernel, bias, initial_state, mask, initial_inputs)
    given.require_weights()
    tensors = given.map(jnp.asarray)
    check_shapes(tensors.map(lambda tensor: tuple(tensor.shape)))
    dtypes = tensors.map(lambda tensor: tensor.dtype.name)
    check_dtypes(dtypes, is_float=dtypes.inputs in DTYPES, cast="jnp.astype")
    if mask is not None:
        tensors = tensors._replace(mask=tensors.mask.astype(bool))
    _library.check_usable()
    return run(tensors, activation=activation, go_backwards=go_backwards)


def run(
    tensors: WindowTensors, *, activation: str, go_backwards: bool, training: bool = False
) -> tuple[jax.Array, jax.Array]:
    """As `min_add_gru`, for tensors that fit; `training` as in `_op.run`."""
    outputs, state = _run(tensors, activation=activation, go_backwards=go_backwards)
    return outputs, state


@functools.partial(jax.jit, static_argnames=("activation", "go_backwards"), inline=True)
def _run(tensors: WindowTensors, *, activation: str, go_backwards: bool) -> Any:
    dtype = tensors.inputs.dtype
    tensors = tensors._replace(
        bias=or_empty(tensors.bias, dtype, 1),
        initial_state=or_empty(tensors.initial_state, dtype, 2),
        mask=or_empty(tensors.mask, bool, 2),
        initial_inputs=or_empty(tensors.initial_inputs, dtype, 3),
    )
    return _min_gradient.recurrence(_call.vary_alike(tensors), activation, go_backwards)
