"""The op of the recurrence, as a function of JAX's arrays."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from addrnn import _validation
from addrnn.gate import ACTIVATIONS, DTYPES, Gate
from addrnn.jax import _call, _gradient, _library
from addrnn.sequence import SequenceTensors, check_dtypes, check_shapes


def add_gru(
    inputs: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    initial_state: Any = None,
    mask: Any = None,
    *,
    activation: str = "relu",
    state_shift: float = 0.0,
    state_max: float | None = None,
    go_backwards: bool = False,
) -> tuple[jax.Array, jax.Array]:
    """An addition-gated recurrence over whole sequences (arXiv 2308.05629, section 3.1).

    With `u_t` the update gate and `c_t` the candidate,

        [u_t | z_t] = x_t @ kernel + h_{t-1} @ recurrent_kernel + bias
        c_t = activation(z_t)
        h_t = relu(h_{t-1} + s - relu(-u_t)) + relu(c_t + s - relu(u_t)) - s

    where `s` is `state_shift`, and `h_t` is at most `state_max`.

    It runs eagerly and in `jax.jit`, on CPUs. `jax.grad` and `jax.vjp` differentiate it once;
    `jax.jvp` does not. It works within `jax.lax.scan`, `jax.checkpoint`, `jax.vmap` and
    `jax.shard_map`. `jax.vmap` calls it once for all rows where it maps inputs, initial state and
    mask alone, and once for each element otherwise, or for a gradient. Where the batch is sharded
    over devices of the process, `jax.jit` has each compute its rows, and adds up the gradients of
    the weights.

    Args:
        inputs: Floating-point array `[B, T, D]`, or what makes one. `B` and `T` may be 0.
        kernel: Array `[D, 2H]`.
        recurrent_kernel: Array `[H, 2H]`.
        bias: Array `[2H]`. None for zeros.
        initial_state: Array `[B, H]`. None for zeros.
        mask: Boolean array `[B, T]`. At a step where it is False the state stays as it is, and is
            the output of that step too.
        activation: Of the candidate: `"linear"`, `"relu"`, `"hard_tanh"` or `"tanh"`.
        state_shift: Finite number of at least 0, by which the state is shifted inside the gate. The
            state is never below `-state_shift`.
        state_max: Finite number above `-state_shift`, the upper bound of the state, or None.
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
    >>> kernel = jax.random.normal(jax.random.key(1), (8, 2 * 4))
    >>> recurrent_kernel = jnp.zeros((4, 2 * 4))
    >>> outputs, state = addrnn.jax.add_gru(x, kernel, recurrent_kernel)
    >>> outputs.shape, state.shape
    ((32, 10, 4), (32, 4))
    >>> def loss(kernel):
    ...     outputs, _ = addrnn.jax.add_gru(x, kernel, recurrent_kernel)
    ...     return jnp.mean(outputs**2)
    >>> jax.jit(jax.grad(loss))(kernel).shape
    (8, 8)
    """
    _validation.one_of("activation", activation, ACTIVATIONS)
    gate = Gate(activation, state_shift, state_max)
    go_backwards = _validation.flag("go_backwards", go_backwards)
    given = SequenceTensors(inputs, kernel, recurrent_kernel, bias, initial_state, mask)
    given.require_weights()
    tensors = given.map(jnp.asarray)
    check_shapes(tensors.map(lambda tensor: tuple(tensor.shape)))
    dtypes = tensors.map(lambda tensor: tensor.dtype.name)
    check_dtypes(dtypes, one_step=False, is_float=dtypes.inputs in DTYPES, cast="jnp.astype")
    if mask is not None:
        tensors = tensors._replace(mask=tensors.mask.astype(bool))
    _library.check_usable()
    return run(tensors, gate=gate, go_backwards=go_backwards)


def run(
    tensors: SequenceTensors, *, gate: Gate, go_backwards: bool, training: bool = False
) -> tuple[jax.Array, jax.Array]:
    """As `add_gru`, for tensors that fit. Inputs `[B, D]` are one step, with outputs `[B, H]`.

    `training` is there for those who call every framework alike: JAX says itself whether a gradient
    follows.
    """
    outputs, state = _run(tensors, gate=gate, go_backwards=go_backwards)
    return outputs, state


@functools.partial(jax.jit, static_argnames=("gate", "go_backwards"), inline=True)
def _run(tensors: SequenceTensors, *, gate: Gate, go_backwards: bool) -> Any:
    dtype = tensors.inputs.dtype
    tensors = tensors._replace(
        bias=or_empty(tensors.bias, dtype, 1),
        initial_state=or_empty(tensors.initial_state, dtype, 2),
        mask=or_empty(tensors.mask, bool, 2),
    )
    return _gradient.recurrence(_call.vary_alike(tensors), gate, go_backwards)


def or_empty(tensor: Any, dtype: Any, rank: int) -> jax.Array:
    """Absent optional inputs go to the op as tensors without elements."""
    array: jax.Array = jnp.zeros([0] * rank, dtype) if tensor is None else tensor
    return array
