"""Checks of the arguments of ops and layers, in one place and before any arithmetic."""

import difflib
from collections.abc import Callable

import keras

from addrnn import _validation, window_sequence
from addrnn.gate import ACTIVATIONS, Gate
from addrnn.sequence import SequenceTensors, check_dtypes, check_shapes
from addrnn.window_sequence import WindowTensors

IMPLEMENTATIONS = ("auto", "fused", "composed")


_OF_GRU = {
    "recurrent_activation": "the gate has no sigmoid",
    "reset_after": "there is no reset gate",
    "use_cudnn": "the op runs on CPUs",
}
_NO_RECURRENT_KERNEL = "the gates read inputs alone, and there is no recurrent kernel"
_OF_RECURRENT_WEIGHTS = {
    "recurrent_initializer": _NO_RECURRENT_KERNEL,
    "recurrent_regularizer": _NO_RECURRENT_KERNEL,
    "recurrent_constraint": _NO_RECURRENT_KERNEL,
    "recurrent_dropout": _NO_RECURRENT_KERNEL,
    "unroll": "there is no loop over time",
}
_OF_ADD_GRU = {
    "state_shift": "the state is never negative",
    "state_max": "the state is never above the largest candidate",
}


def refuse_those_of_gru(arguments):
    """Raises an error if `arguments` names one of `keras.layers.GRU` that has no meaning here."""
    _refuse(arguments, _OF_GRU, "GRU")


def refuse_those_of_recurrent_weights(arguments):
    """As `refuse_those_of_gru`, where there is no recurrent kernel either."""
    _refuse(arguments, {**_OF_GRU, **_OF_RECURRENT_WEIGHTS}, "GRU")
    _refuse(arguments, _OF_ADD_GRU, "AddGRU")


def _refuse(arguments, meaningless, owner):
    for name, reason in meaningless.items():
        if name in arguments:
            raise ValueError(
                f"Argument `{name}` of {owner} has no meaning here: {reason}. Leave it out. "
                f"Received: {name}={arguments[name]!r}"
            )


def implementation(value) -> str:
    """`value` if it names an implementation, or an error."""
    return _validation.one_of("implementation", value, IMPLEMENTATIONS)


def activation(value) -> str | Callable:
    """An activation in canonical form: a name that has a kernel, or a callable."""
    try:
        function = keras.activations.get(value)
    except (ValueError, TypeError) as error:
        if isinstance(value, dict):  # a saved function: Keras says how to register it
            raise
        requirement = "be None, a callable or a name in `keras.activations`"
        raise _validation.value_error(
            "activation", requirement, repr(value), _similar_activation(value)
        ) from error
    for name in ACTIVATIONS:
        if function is keras.activations.get(name):
            return name
    return function


def _similar_activation(value):
    known = sorted(name for name in dir(keras.activations) if not name.startswith("_"))
    similar = difflib.get_close_matches(str(value), known, n=1)
    return f"Did you mean {similar[0]!r}?" if similar else ""


def gate(activation_value, state_shift=0.0, state_max=None) -> Gate:
    """The `Gate` of settings as a user gives them, with activations as Keras takes them."""
    return Gate(activation(activation_value), state_shift, state_max)


def tensors(given: SequenceTensors, *, one_step: bool = False) -> None:
    """Checks that tensors fit each other; sizes that are not known yet (None) pass."""
    given.require_weights()
    check_shapes(given.map(_shape), one_step=one_step)
    dtypes = given.map(_dtype)
    is_float = keras.backend.is_float_dtype(dtypes.inputs)
    check_dtypes(dtypes, one_step=one_step, is_float=is_float, cast="keras.ops.cast")


def window_tensors(given: WindowTensors) -> None:
    """As `tensors`, for those of a `MinAddGRU`."""
    given.require_weights()
    window_sequence.check_shapes(given.map(_shape))
    dtypes = given.map(_dtype)
    is_float = keras.backend.is_float_dtype(dtypes.inputs)
    window_sequence.check_dtypes(dtypes, is_float=is_float, cast="keras.ops.cast")


def _shape(tensor):
    return tuple(tensor.shape)


def _dtype(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)
