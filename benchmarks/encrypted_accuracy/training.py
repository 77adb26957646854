"""Trains the networks that are not there yet, with gates that add or multiply, alike in integers.

An encrypted model is paid for by its look-ups. So the networks have few units and steps, each
unit's gate reads few of the others, inputs have 2 bits, and sums of few bits are trained for.

What differs beside the gate is how the recurrent weights begin: GRU's orthogonal ones let a gate
that adds explode (docs/explanation/defaults.md), and a gate that multiplies learns best from them.

    .venv/bin/python -m benchmarks.encrypted_accuracy.training
"""

import keras
import numpy as np

import keras_addrnn as ka
from addrnn.quantization import Quantization, StateQuantization
from benchmarks._harness import page
from benchmarks.encrypted_accuracy import digits, plan
from keras_addrnn.ops._scan import scan
from keras_addrnn.quantization import _fake_quantize
from keras_addrnn.quantization._fake_quantized_add_gru import FakeQuantizedAddGRU
from keras_addrnn.quantization._fake_quantized_dense import FakeQuantizedDense

ops = keras.ops

RATE = 4e-3  # of Adam; falls to 0
STATE_MAX = 4.0
STATE_BITS = 5
WEIGHT_BITS = 4
RECURRENT_INPUTS = 2  # that each column may have
EPOCHS = 240
BATCH = 64
WIDER_BITS = 2.5  # beyond those that the sums will have, when they begin to become narrow
NARROWING = 0.5  # the part of the epochs in which they do
INPUTS = Quantization(2, 1 / 3, -2)  # 0 to 1 in 4 steps


class FewInputs(keras.constraints.Constraint):
    """Lets each column of a recurrent kernel keep a few weights: its own unit's, and drawn ones."""

    def __init__(self, units, kept, seed=0):
        rng = np.random.default_rng(seed)
        self.mask = np.tile(np.eye(units, dtype="float32"), 2)
        for column in range(2 * units):
            others = np.delete(np.arange(units), column % units)
            self.mask[rng.choice(others, min(kept, units) - 1, replace=False), column] = 1

    def __call__(self, kernel):
        return kernel * ops.convert_to_tensor(self.mask, kernel.dtype)


class Narrowing(keras.callbacks.Callback):
    """Lets the sums of a quantization-aware layer become narrow epoch by epoch.

    At once, what a unit has learned would be cut down.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self._assign(WIDER_BITS * max(0, 1 - epoch / (NARROWING * EPOCHS)))

    def on_train_end(self, logs=None):
        self._assign(0)

    def _assign(self, more_bits):
        layer = self.model.layers[0]
        layer.accumulator_span_limit.assign(2 ** (layer.accumulator_bits + more_bits) - 1)


class FakeQuantizedMultiplying(FakeQuantizedAddGRU):
    """The same weights and sums, and the gate "mul, 4 PBS" of circuits.py, bit for bit."""

    def _states(self, sums, recurrent_kernel, mask):  # without masks, which encryption has not
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
    state = StateQuantization.of_range(STATE_MAX, STATE_BITS)
    few = FewInputs(units, RECURRENT_INPUTS, seed)
    layer = ka.AddGRU(units, recurrent_initializer=initializer(), recurrent_constraint=few)
    dense = keras.layers.Dense(10, activation="softmax")
    layers = [keras.Input((None, digits.FEATURES)), kind(layer, INPUTS, state, WEIGHT_BITS, bits)]
    return keras.Sequential([*layers, FakeQuantizedDense(dense, state.quantization, WEIGHT_BITS)])


def train(gate, units, bits, seed):
    """The `IntegerModel` of a run; of one that multiplies it holds what comes before the gate."""
    keras.utils.set_random_seed(seed)
    model = network(gate, units, bits, seed)
    pixels, _, labels, _ = digits.load()
    images = digits.varied(np.float32(pixels) / digits.INK, np.random.default_rng(seed))
    labels = np.resize(labels, len(images))
    batches = EPOCHS * -(-len(images) // BATCH)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, batches)),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        jit_compile=True,
        steps_per_execution=32,
    )
    model.fit(
        digits.steps(digits.INK * images),
        np.eye(10)[labels],
        batch_size=BATCH,
        epochs=EPOCHS,
        callbacks=[Narrowing()],
        verbose=0,
    )
    return ka.quantization.quantize(model)


def main(arguments=None):
    page.documented(__doc__).parse_args(arguments)
    for settings in plan.networks():
        path = plan.path_of(settings)
        if not path.is_file():
            train(**settings).save(path)
            print(*settings.values(), flush=True)


if __name__ == "__main__":
    main()
