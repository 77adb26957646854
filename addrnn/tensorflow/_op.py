"""The op as a function of TensorFlow's tensors."""

from typing import Any

import tensorflow as tf

from addrnn import _validation
from addrnn.gate import ACTIVATIONS, DTYPES, Gate
from addrnn.sequence import SequenceTensors, check_dtypes, check_shapes
from addrnn.tensorflow import _gradient, _library, _xla


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
    training: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """An addition-gated recurrence over whole sequences (arXiv 2308.05629, section 3.1).

    With `u_t` the update gate and `c_t` the candidate,

        [u_t | z_t] = x_t @ kernel + h_{t-1} @ recurrent_kernel + bias
        c_t = activation(z_t)
        h_t = relu(h_{t-1} + s - relu(-u_t)) + relu(c_t + s - relu(u_t)) - s

    where `s` is `state_shift`, and `h_t` is at most `state_max`.

    It runs on CPUs, eagerly and in a `tf.function`, one with `jit_compile=True` included. Tapes and
    `tf.gradients` differentiate it once.

    Args:
        inputs: Floating-point tensor `[B, T, D]`, or what makes one. `B` and `T` may be 0.
        kernel: Tensor `[D, 2H]`.
        recurrent_kernel: Tensor `[H, 2H]`.
        bias: Tensor `[2H]`. None for zeros.
        initial_state: Tensor `[B, H]`. None for zeros.
        mask: Boolean tensor `[B, T]`. At a step where it is False the state stays as it is, and is
            the output of that step too.
        activation: Of the candidate: `"linear"`, `"relu"`, `"hard_tanh"` or `"tanh"`.
        state_shift: Finite number of at least 0, by which the state is shifted inside the gate. The
            state is never below `-state_shift`.
        state_max: Finite number above `-state_shift`, the upper bound of the state, or None.
        go_backwards: Whether to read inputs and mask from the last step to the first. The outputs
            are in the order of processing.
        training: Whether a gradient will follow. The op then keeps one byte per unit and step for
            it. Gradients are the same without it, but take a second forward pass.

    Returns:
        A tuple `(outputs, state)`: the states after each step `[B, T, H]`, and the last `[B, H]`.

    Raises:
        ValueError: A shape or a setting does not fit. Its `argument` is the argument's name.
        TypeError: The tensors have different dtypes, or not a floating-point one.
        RuntimeError: The library of the op cannot be loaded; says what to do.

    Example:

    >>> x = tf.random.normal((32, 10, 8))
    >>> kernel, recurrent_kernel = tf.random.normal((8, 2 * 4)), tf.zeros((4, 2 * 4))
    >>> outputs, state = addrnn.tensorflow.add_gru(x, kernel, recurrent_kernel)
    >>> outputs.shape, state.shape
    (TensorShape([32, 10, 4]), TensorShape([32, 4]))
    """
    _validation.one_of("activation", activation, ACTIVATIONS)
    gate = Gate(activation, state_shift, state_max)
    go_backwards = _validation.flag("go_backwards", go_backwards)
    training = _validation.flag("training", training)
    given = SequenceTensors(inputs, kernel, recurrent_kernel, bias, initial_state, mask)
    given.require_weights()
    tensors = given.map(tf.convert_to_tensor)
    known_ranks(tensors)
    check_shapes(tensors.map(lambda tensor: tuple(tensor.shape)))
    dtypes = tensors.map(lambda tensor: tensor.dtype.name)
    check_dtypes(dtypes, one_step=False, is_float=dtypes.inputs in DTYPES, cast="tf.cast")
    if mask is not None:
        tensors = tensors._replace(mask=tf.cast(tensors.mask, tf.bool))
    _library.loaded()
    return run(tensors, gate=gate, go_backwards=go_backwards, training=training)


def run(
    tensors: SequenceTensors, *, gate: Gate, go_backwards: bool, training: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """As `add_gru`, for tensors that fit. Inputs `[B, D]` are one step, with outputs `[B, H]`."""
    dtype = tensors.inputs.dtype
    inputs = (
        tensors.inputs,
        tensors.kernel,
        tensors.recurrent_kernel,
        or_empty(tensors.bias, dtype, 1),
        or_empty(tensors.initial_state, dtype, 2),
        or_empty(tensors.mask, tf.bool, 2),
    )
    attributes = {
        "activation": gate.activation,
        "state_shift": gate.state_shift,
        "state_max": gate.upper_bound,
        "go_backwards": go_backwards,
        "with_reserve": training,
    }
    if _xla.tracing():
        return _xla.differentiable(_xla.add_gru, _gradient.gradient, inputs, attributes)
    outputs, state, _, _ = _library.load().ops.add_gru(*inputs, **attributes)
    return outputs, state


def known_ranks(tensors: Any) -> None:
    """Checks that the tensors of a structure have known ranks."""
    for name, tensor in tensors._asdict().items():
        if tensor is not None and tensor.shape.rank is None:
            raise _validation.value_error(
                name, "have a known rank", "shape=<unknown>", "Use tf.ensure_shape."
            )


def or_empty(tensor: Any, dtype: tf.DType, rank: int) -> tf.Tensor:
    """Absent optional inputs go to the op as tensors without elements."""
    return tf.zeros([0] * rank, dtype) if tensor is None else tensor
