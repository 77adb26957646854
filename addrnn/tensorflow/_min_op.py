"""The op of the recurrence with gates on inputs alone, as a function of TensorFlow's tensors."""

from typing import Any

import tensorflow as tf

from addrnn import _validation
from addrnn.gate import ACTIVATIONS, DTYPES
from addrnn.tensorflow import _gradient, _library, _xla
from addrnn.tensorflow._op import known_ranks, or_empty
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
    training: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """A recurrence whose addition-based gates read the inputs alone, over whole sequences.

    With `w` the number of inputs that a step reads, `u_t` the update gate and `c_t` the candidate,

        [u_t | z_t] = x_{t-w+1} @ kernel[0] + ... + x_t @ kernel[w - 1] + bias
        c_t = activation(z_t)
        h_t = max(h_{t-1} - relu(-u_t), relu(c_t - relu(u_t)))

    It runs on CPUs, eagerly and in a `tf.function`, one with `jit_compile=True` included. Tapes and
    `tf.gradients` differentiate it once. docs/explanation/parallel-in-time.md has the sources.

    Args:
        inputs: Floating-point tensor `[B, T, D]`, or what makes one. `B` and `T` may be 0.
        kernel: Tensor `[w, D, 2H]`.
        bias: Tensor `[2H]`. None for zeros.
        initial_state: Tensor `[B, H]`, of which numbers below 0 count as 0. None for zeros.
        mask: Boolean tensor `[B, T]`. At a step where it is False the state stays as it is, and is
            the output of that step too. Its input reads as 0.
        initial_inputs: Tensor `[B, w - 1, D]`, the inputs before the first step, oldest first. None
            for zeros.
        activation: Of the candidate: `"linear"`, `"relu"`, `"hard_tanh"` or `"tanh"`.
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
    >>> outputs, state = addrnn.tensorflow.min_add_gru(x, tf.random.normal((3, 8, 2 * 4)))
    >>> outputs.shape, state.shape
    (TensorShape([32, 10, 4]), TensorShape([32, 4]))
    """
    _validation.one_of("activation", activation, ACTIVATIONS)
    go_backwards = _validation.flag("go_backwards", go_backwards)
    training = _validation.flag("training", training)
    given = WindowTensors(inputs, kernel, bias, initial_state, mask, initial_inputs)
    given.require_weights()
    tensors = given.map(tf.convert_to_tensor)
    known_ranks(tensors)
    check_shapes(tensors.map(lambda tensor: tuple(tensor.shape)))
    dtypes = tensors.map(lambda tensor: tensor.dtype.name)
    check_dtypes(dtypes, is_float=dtypes.inputs in DTYPES, cast="tf.cast")
    if mask is not None:
        tensors = tensors._replace(mask=tf.cast(tensors.mask, tf.bool))
    _library.loaded()
    return run(tensors, activation=activation, go_backwards=go_backwards, training=training)


def run(
    tensors: WindowTensors, *, activation: str, go_backwards: bool, training: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """As `min_add_gru`, for tensors that fit."""
    dtype = tensors.inputs.dtype
    inputs = (
        tensors.inputs,
        tensors.kernel,
        or_empty(tensors.bias, dtype, 1),
        or_empty(tensors.initial_state, dtype, 2),
        or_empty(tensors.mask, tf.bool, 2),
        or_empty(tensors.initial_inputs, dtype, 3),
    )
    attributes = {
        "activation": activation,
        "go_backwards": go_backwards,
        "with_reserve": training,
    }
    if _xla.tracing():
        return _xla.differentiable(_xla.min_add_gru, _gradient.min_gradient, inputs, attributes)
    outputs, state, _, _ = _library.load().ops.min_add_gru(*inputs, **attributes)
    return outputs, state
