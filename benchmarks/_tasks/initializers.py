"""First biases of gates that AddGRU does not offer."""

import keras
import numpy as np


def spread_gate_bias(low, high):
    """`low` to `high`, evenly, for the update gate; zeros for the candidate."""

    def initializer(shape, dtype=None):
        units = shape[0] // 2
        gate = np.random.default_rng(0).permutation(np.linspace(low, high, units))
        return keras.ops.convert_to_tensor(np.concatenate([gate, np.zeros(units)]), dtype)

    return initializer


@keras.saving.register_keras_serializable(package="keras_addrnn_benchmarks")
class GRUBias(keras.initializers.Initializer):
    """Of GRU's update gates, what `keras_addrnn.layers.GateBias` is of AddGRU's."""

    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None):
        # Of the inputs and of the state; update, reset, candidate.
        bias = np.repeat([[self.value, 0, 0], [0, 0, 0]], shape[1] // 3, axis=1)
        return keras.ops.convert_to_tensor(bias, dtype)

    def get_config(self):
        return {"value": self.value}
