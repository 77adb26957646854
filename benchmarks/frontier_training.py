"""Networks for frontier.py whose gates add or multiply, trained alike in integers.

What differs beside the gate is how the recurrent weights begin: GRU's orthogonal ones let a gate
that adds explode (docs/defaults.md), and a gate that multiplies learns best from them.
"""

import pathlib
import sys

import keras
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "examples" / "encrypted_digits"))

import train as digits

import keras_addrnn as ka
from addrnn.quantization import Quantization, StateQuantization
from keras_addrnn.ops._scan import scan
from keras_addrnn.quantization import _fake_quantize
from keras_addrnn.quantization._fake_quantized_layers import FakeQuantizedAddGRU, FakeQuantizedDense

ops = keras.ops

STATE_BITS = 5
RECURRENT_INPUTS = 2
EPOCHS = 240
BATCH = 64
INPUTS = Quantization(digits.INPUT_BITS, 1 / 3, -2)  # 0 to 1 in 4 steps


class FakeQuantizedMultiplying(FakeQuantizedAddGRU):
    """The same weights and sums, and the gate "mul, 4 PBS" of fhe_circuits.py, bit for bit."""

    def _states(self, sums, recurrent_kernel, mask):
        if mask is not None:
            raise ValueError("There are no masks under encryption.")
        most = self.state.max

        def rounded(value):
            return _fake_quantize.through(value, ops.round(value))

        def step(state, x_t):
            sums = x_t[0] + ops.matmul(state, recurrent_kernel)
            u, z = ops.split(_fake_quantize.round_half_up(sums), 2, axis=-1)
            u = _fake_quantize.clip(u, -most - 1, most)
            g = rounded(most * ops.sigmoid(u * (4 / (most + 1))))
            c = _fake_quantize.clip(z, 0, most)
            up, down = g + state - c, g - state + c
            return c + rounded(up * up / (4 * most)) - rounded(down * down / (4 * most))

        return scan(step, ops.zeros_like(sums[0, :, : self.layer.cell.units]), [sums])[0]


LAYERS = {
    "add": (FakeQuantizedAddGRU, ka.layers.InhibitedOrthogonal),
    "multiply": (FakeQuantizedMultiplying, keras.initializers.Orthogonal),
}


def network(gate, units, bits, seed):
    """A Keras model of a recurrent layer, computed in integers with sums of `bits` bits."""
    kind, initializer = LAYERS[gate]
    state = StateQuantization.of_range(digits.STATE_MAX, STATE_BITS)
    layer = ka.AddGRU(
        units,
        recurrent_initializer=initializer(),
        recurrent_constraint=digits.FewInputs(units, RECURRENT_INPUTS, seed),
    )
    dense = keras.layers.Dense(10, activation="softmax")
    return keras.Sequential(
        [
            keras.Input((None, digits.FEATURES)),
            kind(layer, INPUTS, state, digits.WEIGHT_BITS, bits),
            FakeQuantizedDense(dense, state.quantization, digits.WEIGHT_BITS),
        ]
    )


def train(settings):
    """The `IntegerModel` of a run; of one that multiplies it holds what comes before the gate."""
    sizes = {name: settings[name] for name in ("units", "bits", "seed")}
    keras.utils.set_random_seed(settings["seed"])
    model = network(settings["gate"], **sizes)
    x_train, _, y_train, _ = digits.load()
    images = digits.varied(x_train, np.random.default_rng(settings["seed"]))
    narrowing = digits.Narrowing(model.layers[0], digits.NARROWING * EPOCHS)
    digits.fit(model, images, np.resize(y_train, len(images)), EPOCHS, BATCH, [narrowing])
    return ka.quantization.quantize(model)
