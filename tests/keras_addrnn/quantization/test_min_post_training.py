"""Quantizing models with MinAddGRU: near the float model, and exact where it can be."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from addrnn import IntegerAddGRU, IntegerDense, IntegerMinAddGRU
from tests import integer_problems as support
from tests.keras_addrnn.quantization.test_post_training import data, floats

pytestmark = pytest.mark.backend_neutral

L = keras.layers


def model(*layers, features=3):
    made = keras.Sequential([keras.Input((None, features)), *layers])
    rng = np.random.default_rng(0)
    for weight in made.trainable_weights:
        fan_in = max(np.prod(weight.shape[:-1]), 1)
        weight.assign(rng.standard_normal(weight.shape) / np.sqrt(fan_in))
    return made


@pytest.mark.parametrize("rescale", ["shift", "multiplier"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"kernel_size": 1},
        {"kernel_size": 5, "activation": "linear"},
        {"activation": "hard_tanh"},
        {"use_bias": False},
        {"go_backwards": True},
    ],
)
@pytest.mark.parametrize("sequences", [False, True])
def test_near_the_float_model(settings, sequences, rescale):
    made = model(ka.MinAddGRU(7, **settings, return_sequences=sequences))
    x = data()
    integers = ka.quantization.quantize(made, x, input_bits=16, rescale=rescale)
    expected = floats(made, x)
    error = np.abs(integers.predict(x) - expected)
    assert expected.std() > 0.1
    # A weight is wrong by less than 1/127 of the largest of its column, or twice that where steps
    # are powers of two.
    assert error.mean() < (0.01 if rescale == "shift" else 0.005) * np.abs(expected).max()


def test_inputs_whose_zero_is_elsewhere():
    """The windows at the beginning read zeros, whatever integer stands for them."""
    made = model(ka.MinAddGRU(7, 5, return_sequences=True))
    x = data() + 3
    integers = ka.quantization.quantize(made, x, input_bits=16)
    assert integers.layers[0].input_zero_point == integers.inputs.zero_point != 0
    expected = floats(made, x)
    error = np.abs(integers.predict(x) - expected)
    assert error.mean() < 0.01 * np.abs(expected).max()
    assert error[:, 0].mean() < 0.01 * np.abs(expected).max()


def test_masked_steps_are_those_of_the_layer():
    made = model(ka.MinAddGRU(6, return_sequences=True))
    x = data() + 1
    mask = np.random.default_rng(0).random(x.shape[:2]) < 0.7
    integers = ka.quantization.quantize(made, x, input_bits=16)
    expected = keras.ops.convert_to_numpy(
        made.layers[-1](keras.ops.convert_to_tensor(x), mask=keras.ops.convert_to_tensor(mask))
    )
    error = np.abs(integers.predict(x, mask) - expected)
    assert error.mean() < 0.01 * np.abs(expected).max()


@pytest.mark.parametrize("rescale", ["shift", "multiplier"])
def test_more_bits_are_nearer(rescale):
    made, x = model(ka.MinAddGRU(9), L.Dense(4)), data()
    expected = floats(made, x)

    def error(weight_bits, state_bits, input_bits):
        integers = ka.quantization.quantize(
            made,
            x,
            weight_bits=weight_bits,
            state_bits=state_bits,
            input_bits=input_bits,
            rescale=rescale,
        )
        return np.square(integers.predict(x) - expected).mean() / np.square(expected).mean()

    assert error(8, 16, 16) < error(6, 16, 16) < error(4, 16, 16) < error(2, 16, 16)
    assert error(8, 16, 16) < error(8, 8, 16) < error(8, 4, 16) < error(8, 2, 16)
    assert error(8, 16, 16) < error(8, 16, 4) < error(8, 16, 1)


@pytest.mark.parametrize("bits", [(2, 2, 1), (2, 2, 2), (3, 4, 4), (8, 16, 16), (8, 16, 1)])
def test_any_width_runs(bits):
    weight_bits, state_bits, input_bits = bits
    made = model(
        ka.MinAddGRU(5, return_sequences=True),
        ka.MinAddGRU(4, 2, "linear"),
        L.Dense(3),
    )
    integers = ka.quantization.quantize(
        made, data(), weight_bits=weight_bits, state_bits=state_bits, input_bits=input_bits
    )
    inputs = integers.inputs.quantize(data(3))
    np.testing.assert_array_equal(integers.run(inputs), support.expected_model(integers, inputs))


def test_in_any_order_beside_addgru():
    made = model(
        L.Dropout(0.5),
        ka.MinAddGRU(5, return_sequences=True, go_backwards=True, name="first"),
        ka.AddGRU(4, return_sequences=True, name="second"),
        ka.MinAddGRU(6, 2, name="third"),
        L.Dense(3, activation="softmax", name="head"),
    )
    x = data() + 0.5
    integers = ka.quantization.quantize(made, x, input_bits=9, state_bits=12)
    first, second, third, head = integers.layers
    assert [type(layer) for layer in integers.layers] == [
        IntegerMinAddGRU,
        IntegerAddGRU,
        IntegerMinAddGRU,
        IntegerDense,
    ]
    assert [layer.name for layer in integers.layers] == ["first", "second", "third", "head"]
    assert (first.kernel_size, first.go_backwards, first.return_sequences) == (3, True, True)
    assert (third.kernel_size, third.go_backwards, third.return_sequences) == (2, False, False)
    assert (third.input_zero_point, third.input_bits) == (0, 12)
    assert (integers.predict(x).argmax(-1) == floats(made, x).argmax(-1)).mean() > 0.9


def test_the_factor_of_the_inputs_is_in_the_kernel():
    made = model(layer := ka.MinAddGRU(4))
    layer.input_scale.assign(3.0)
    integers = ka.quantization.quantize(made, data(), input_bits=16)
    expected = floats(made, data())
    assert np.abs(integers.predict(data()) - expected).mean() < 0.01 * np.abs(expected).max()


class TenfoldMinAddGRU(ka.MinAddGRU):
    def call(self, sequences, initial_state=None, mask=None, training=False):
        return 10 * super().call(sequences, initial_state, mask, training)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: model(ka.MinAddGRU(3, activation="tanh")), "'tanh', which integers cannot"),
        (lambda: model(ka.MinAddGRU(3, zero_output_for_mask=True)), "use zero_output_for_mask=Fal"),
        (lambda: model(TenfoldMinAddGRU(3)), r"\(TenfoldMinAddGRU\) has no integer form"),
    ],
)
def test_refused_models(make, message):
    with pytest.raises(ValueError, match=message):
        ka.quantization.quantize(make(), data())
