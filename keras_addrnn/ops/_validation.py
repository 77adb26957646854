"""What the ops and the layers accept, checked in one place and before any arithmetic."""

import difflib

import keras

from addrnn import _validation
from addrnn.gate import ACTIVATIONS, Gate

IMPLEMENTATIONS = ("auto", "fused", "composed")


def refuse_those_of_gru(arguments):
    """Raises an error if `arguments` names one of `keras.layers.GRU` that has no meaning here."""
    meaningless = {
        "recurrent_activation": "the gate has no sigmoid",
        "reset_after": "there is no reset gate",
        "use_cudnn": "the op runs on CPUs",
    }
    for name, reason in meaningless.items():
        if name in arguments:
            raise ValueError(
                f"Argument `{name}` of GRU has no meaning here: {reason}. Leave it out. "
                f"Received: {name}={arguments[name]!r}"
            )


def implementation(value):
    """`value` if it names an implementation, or an error."""
    return _validation.one_of("implementation", value, IMPLEMENTATIONS)


def activation(value):
    """The canonical form of an activation: a name that has a fused kernel, or a callable.

    Args:
        value: None (linear), a name or a config that Keras knows, or a callable.
    """
    try:
        function = keras.activations.get(value)
    except (ValueError, TypeError) as error:
        if isinstance(value, dict):  # a saved function: Keras says how to register it
            raise
        raise ValueError(_unknown_activation(value)) from error
    for name in ACTIVATIONS:
        if function is keras.activations.get(name):
            return name
    return function


def _unknown_activation(value):
    known = sorted(name for name in dir(keras.activations) if not name.startswith("_"))
    close = difflib.get_close_matches(str(value), known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return (
        "Argument `activation` must be None, a callable or a name in `keras.activations`. "
        f"Received: {value!r}.{hint}"
    )


def gate(activation_value, state_shift, state_max):
    """The `Gate` of settings as a user gives them: activations as Keras takes them, None for no
    bound."""
    return Gate(activation(activation_value), state_shift, state_max)


def sequence_tensors(inputs, kernel, recurrent_kernel, bias, initial_state, mask):
    """Checks the tensors of a whole sequence; sizes that are not known yet (None) pass.

    Args:
        inputs: `[B, T, D]`.
        kernel: `[D, 2H]`.
        recurrent_kernel: `[H, 2H]`.
        bias: `[2H]` or None.
        initial_state: `[B, H]` or None.
        mask: `[B, T]` or None.

    Raises:
        ValueError: A shape does not fit the others.
        TypeError: The dtypes are not one and the same floating-point dtype.
    """
    _rank("inputs", inputs, "[batch, time, features]")
    _weights(inputs, kernel, recurrent_kernel, bias)
    batch, time, _ = inputs.shape
    if initial_state is not None:
        _shape("initial_state", initial_state, (batch, recurrent_kernel.shape[0]))
        _same_dtype(inputs, initial_state=initial_state)
    if mask is not None:
        _shape("mask", mask, (batch, time))


def step_tensors(inputs, state, kernel, recurrent_kernel, bias):
    """Checks the tensors of one step: as `sequence_tensors`, with inputs `[B, D]`."""
    _rank("inputs", inputs, "[batch, features]")
    _weights(inputs, kernel, recurrent_kernel, bias)
    _shape("state", state, (inputs.shape[0], recurrent_kernel.shape[0]))
    _same_dtype(inputs, state=state)


def _weights(inputs, kernel, recurrent_kernel, bias):
    _rank("recurrent_kernel", recurrent_kernel, "[units, 2 * units]")
    units = recurrent_kernel.shape[0]
    if not units:
        raise ValueError(
            "Argument `recurrent_kernel` must have the shape [units, 2 * units] with at least one "
            f"unit. Received: shape={tuple(recurrent_kernel.shape)}"
        )
    _shape("recurrent_kernel", recurrent_kernel, (units, 2 * units))
    _shape("kernel", kernel, (inputs.shape[-1], 2 * units))
    if bias is not None:
        _shape("bias", bias, (2 * units,))
    _same_dtype(inputs, kernel=kernel, recurrent_kernel=recurrent_kernel, bias=bias)


def _rank(name, tensor, axes):
    _present(name, tensor)
    if len(tensor.shape) != axes.count(",") + 1:
        raise ValueError(
            f"Argument `{name}` must have the shape {axes}. Received: shape={tuple(tensor.shape)}"
        )


def _present(name, tensor):
    if tensor is None:
        raise TypeError(f"Argument `{name}` must be a tensor. Received: None")


def _shape(name, tensor, expected):
    _present(name, tensor)
    actual = tuple(tensor.shape)
    fits = len(actual) == len(expected) and all(
        a is None or e is None or a == e for a, e in zip(actual, expected, strict=True)
    )
    if not fits:
        raise ValueError(
            f"Argument `{name}` must have the shape {list(expected)} to fit the other arguments. "
            f"Received: shape={actual}"
        )


def _same_dtype(inputs, **tensors):
    dtype = keras.backend.standardize_dtype(inputs.dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise TypeError(
            f"Argument `inputs` must have a floating-point dtype. Received: dtype={dtype}. "
            "Cast it with `keras.ops.cast`."
        )
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        actual = keras.backend.standardize_dtype(tensor.dtype)
        if actual != dtype:
            raise TypeError(
                f"Argument `{name}` must have the dtype of `inputs`, {dtype}. Received: "
                f"dtype={actual}. Cast one to the other with `keras.ops.cast`."
            )
