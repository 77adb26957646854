"""What the ops and the layers accept, checked in one place and before any arithmetic."""

import difflib

import keras

from addrnn import _validation
from addrnn.gate import ACTIVATIONS, Gate
from addrnn.sequence import SequenceTensors, check_dtypes, check_shapes

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


def tensors(given: SequenceTensors, *, one_step: bool = False) -> None:
    """Checks that tensors fit each other; sizes that are not known yet (None) pass.

    Raises:
        ValueError: A shape does not fit the others.
        TypeError: The dtypes are not one and the same floating-point dtype.
    """
    given.require_weights()
    check_shapes(given.map(lambda tensor: tuple(tensor.shape)), one_step=one_step)
    dtypes = given.map(lambda tensor: keras.backend.standardize_dtype(tensor.dtype))
    is_float = keras.backend.is_float_dtype(dtypes.inputs)
    check_dtypes(dtypes, one_step=one_step, is_float=is_float, cast="keras.ops.cast")
