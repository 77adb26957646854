"""The activations that have kernels, in `keras.ops`. Every kink has derivative 0 at the kink."""

import keras

from addrnn.gate import Gate


def _hard_tanh(z):
    # Not `keras.ops.hard_tanh`, whose derivative at -1 and 1 depends on the backend.
    return keras.ops.where(keras.ops.abs(z) >= 1, keras.ops.sign(z), z)


_FUNCTIONS = {
    "linear": lambda z: z,
    "relu": keras.ops.relu,
    "hard_tanh": _hard_tanh,
    "tanh": keras.ops.tanh,
}


def activate(z, gate: Gate):
    """The candidate, of its half of the pre-activations."""
    function = _FUNCTIONS[gate.activation] if gate.has_kernel else gate.activation
    return function(z)


def activate_integers(z, gate: Gate):
    """The same in the operations that LiteRT has for integers: additions and ReLUs."""
    if gate.activation == "hard_tanh":
        return keras.ops.relu(z + 1) - keras.ops.relu(z - 1) - 1
    if not gate.has_kernel:
        name = getattr(gate.activation, "__name__", gate.activation)
        raise ValueError(
            f"LiteRT's integers have no activation {name!r}. Use one of {', '.join(_FUNCTIONS)}, "
            'or quantize="dynamic".'
        )
    return activate(z, gate)
