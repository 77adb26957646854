"""Initializers of the layers' weights."""

import keras

from addrnn import _validation


@keras.saving.register_keras_serializable(package="keras_addrnn")
class InhibitedOrthogonal(keras.initializers.Initializer):
    """Small orthogonal weights, with which every unit's state holds back its own candidate.

    The recurrent kernel `[units, 2 * units] = [R_u | R_c]` becomes
    `gain * orthogonal - inhibition * [0 | identity]`.

    Where the update gate is near 0, as it is in a layer that has not learnt yet, the state adds up:
    `h_t = h_{t-1} + relu(z - inhibition * h_{t-1})`. Without inhibition it grows with every step,
    and exponentially as soon as `R_c` feeds it back to itself: training explodes on long sequences.
    With it, the state has a fixed point at `z / inhibition`, which small changes of the weights do
    not take away. docs/results/first-weights.md has the measurements.

    Args:
        gain: Factor of the orthogonal matrix.
        inhibition: Number, subtracted where a unit's state meets its own candidate.
        seed: Integer or `keras.random.SeedGenerator`, as in `keras.initializers.Orthogonal`.

    Raises:
        ValueError: `gain` or `inhibition` is not finite, or the shape is not that of a recurrent
            kernel.
        TypeError: `gain` or `inhibition` is not a number.

    Example:

    >>> initializer = keras_addrnn.layers.InhibitedOrthogonal(inhibition=1.0)
    >>> layer = keras_addrnn.AddGRU(64, recurrent_initializer=initializer)
    """

    def __init__(
        self,
        gain: float = 0.1,
        inhibition: float = 0.5,
        seed: int | keras.random.SeedGenerator | None = None,
    ) -> None:
        self.orthogonal = keras.initializers.Orthogonal(_validation.finite("gain", gain), seed)
        self.inhibition = _validation.finite("inhibition", inhibition)

    def __call__(self, shape, dtype=None):
        if len(shape) != 2 or shape[1] != 2 * shape[0]:
            raise ValueError(
                "InhibitedOrthogonal is for a recurrent kernel [units, 2 * units]. "
                f"Received: shape={tuple(shape)}. Give it as `recurrent_initializer`."
            )
        units, columns = shape
        drawn = self.orthogonal(shape, dtype=dtype)
        own = keras.ops.eye(units, columns, k=units, dtype=drawn.dtype)
        return drawn - self.inhibition * own

    def get_config(self):
        return {**self.orthogonal.get_config(), "inhibition": self.inhibition}


@keras.saving.register_keras_serializable(package="keras_addrnn")
class GateBias(keras.initializers.Initializer):
    """A bias of the update gates, so that they begin by forgetting or by keeping.

    The bias `[2 * units] = [b_u | b_z]` becomes `[value | 0]`.

    With the default of zeros a layer that has not learnt yet adds up what it reads. A negative
    value takes that much away from each unit's state at every step. Where a layer labels each step
    by what is near it, as with CTC, it may learn sooner with -0.5. Where one answer depends on the
    whole sequence, or on what is long past, it does harm.
    docs/results/handwriting.md has the measurements.

    Args:
        value: Number. Negative: a unit forgets. Positive: it keeps, and holds back what is new.

    Raises:
        ValueError: `value` is not finite, or the shape is not that of a bias.
        TypeError: `value` is not a number.

    Example:

    >>> initializer = keras_addrnn.layers.GateBias(-0.5)
    >>> layer = keras_addrnn.AddGRU(64, bias_initializer=initializer, return_sequences=True)
    """

    def __init__(self, value: float) -> None:
        self.value = _validation.finite("value", value)

    def __call__(self, shape, dtype=None):
        if len(shape) != 1 or shape[0] % 2:
            raise ValueError(
                f"GateBias is for a bias [2 * units]. Received: shape={tuple(shape)}. "
                "Give it as `bias_initializer`."
            )
        units = shape[0] // 2
        gate = keras.ops.full((units,), self.value, dtype=dtype)
        return keras.ops.concatenate([gate, keras.ops.zeros((units,), dtype=dtype)])

    def get_config(self):
        return {"value": self.value}
