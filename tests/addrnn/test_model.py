"""The integer model: which layers follow one another, and what it runs on."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from addrnn import IntegerModel, Quantization
from tests import integer_problems as support


def draw(units=(4,), **settings):
    return support.draw_model(np.random.default_rng(0), 3, units, **settings)


def inputs_for(model, batch=2, steps=4):
    return support.draw_inputs(
        np.random.default_rng(1), batch, steps, model.features, model.inputs.bits
    )


def test_predict_is_run_between_real_numbers():
    model = draw((4, 5), classes=3)
    integers = inputs_for(model)
    outputs = model.run(integers)
    assert outputs.dtype == np.int32 and outputs.shape == (2, 3)
    real = model.predict(model.inputs.dequantize(integers))
    assert real.dtype == np.float32
    np.testing.assert_array_equal(real, (outputs * model.output_scale).astype(np.float32))


def test_repr_is_a_summary():
    model = draw((40, 50), classes=10, state_bits=12, weight_bits=4)
    first, *layers = repr(model).splitlines()
    assert first == f"IntegerModel of 3 features, {model.inputs!r}"
    assert [repr(layer) for layer in model.layers] == [line.strip() for line in layers]
    # A kernel, a recurrent kernel; of 80 columns int32 biases and three uint8 shifts.
    size = 3 * 80 + 40 * 80 + 80 * (4 + 3)
    assert repr(model.layers[0]) == (
        f"IntegerAddGRU('{model.layers[0].name}': 3 to 40, weights of 4 bits, state of 12 bits, "
        f"{size / 1000:.1f} kB)"
    )
    assert repr(model.layers[-1]) == (
        f"IntegerDense('{model.layers[-1].name}': 50 to 10, weights of "
        f"{model.layers[-1].weight_bits} bits, sums of 32 bits, {0.5 + 0.04:.1f} kB)"
    )


@pytest.mark.parametrize("sequences, shape", [(False, (2, 5)), (True, (2, 4, 5))])
def test_shapes(sequences, shape):
    model = draw((4, 5), sequences=sequences)
    outputs = model.run(inputs_for(model))
    assert outputs.dtype == np.int16 and outputs.shape == shape
    assert model.output_scale == model.layers[-1].state_scale


@pytest.mark.parametrize("batch, steps", [(0, 4), (2, 0), (0, 0)])
@pytest.mark.parametrize("classes", [None, 3])
def test_nothing_to_do(batch, steps, classes):
    model = draw((4, 5), classes=classes)
    outputs = model.run(np.zeros((batch, steps, 3), np.int8), np.zeros((batch, steps), bool))
    assert outputs.shape == (batch, classes or 5)


def test_any_dtype_of_integers():
    model = draw()
    integers = np.abs(inputs_for(model).astype(int)).clip(0, 127)
    expected = model.run(integers)
    for dtype in (np.int8, np.uint8, np.int32, np.uint64):
        np.testing.assert_array_equal(model.run(integers.astype(dtype)), expected)


@pytest.mark.parametrize(
    "inputs, mask, error, message",
    [
        (np.zeros((2, 4, 3)), None, TypeError, "`predict` takes real numbers"),
        (np.zeros((4, 3), int), None, ValueError, r"\[batch, time, 3\]"),
        (np.zeros((2, 4, 2), int), None, ValueError, r"\[batch, time, 3\]"),
        (np.full((2, 4, 3), 128), None, ValueError, "from -128 to 127"),
        (np.full((2, 4, 3), -129), None, ValueError, "from -128 to 127"),
        (np.full((2, 4, 3), 2**64 - 1, np.uint64), None, ValueError, "from -128 to 127"),
        (np.zeros((2, 4, 3), int), np.ones((2, 4)), TypeError, "`mask` must hold booleans"),
        (np.zeros((2, 4, 3), int), np.ones((4, 2), bool), ValueError, "`mask` must have the shape"),
    ],
)
def test_run_refuses(inputs, mask, error, message):
    with pytest.raises(error, match=message):
        draw().run(inputs, mask)


def test_predict_refuses_what_is_not_finite():
    with pytest.raises(ValueError, match="must hold finite numbers"):
        draw().predict(np.full((1, 1, 3), np.nan))


def test_layers_must_fit():
    model = draw((4, 5), classes=3)
    first, second, dense = model.layers
    (other,) = support.draw_model(np.random.default_rng(0), 4, (6,), input_bits=7).layers
    quantization = model.inputs
    for inputs, layers, error, message in (
        (None, [first], TypeError, "`inputs` must be a Quantization"),
        (quantization, [], ValueError, "must begin with an IntegerAddGRU or an IntegerMin"),
        (quantization, [dense], ValueError, "must begin with an IntegerAddGRU or an IntegerMin"),
        (quantization, [first, "dense"], TypeError, "`layers` must hold"),
        (
            Quantization(7, 1.0),
            [first],
            ValueError,
            "must take 7 bits, as `inputs` gives.*input_bits=7",
        ),
        (
            quantization,
            [first, other],
            ValueError,
            "must take 16 bits, as 'add_gru_0'.*input_bits=16",
        ),
        (
            quantization,
            [first, dense],
            ValueError,
            "must take 4 features, the units of.*kernel for 5. Give",
        ),
        (
            quantization,
            [first, second, dense, dense],
            ValueError,
            "must be the last.*'dense' behind it. Leave 'dense' out",
        ),
        (
            quantization,
            [first, second, second],
            ValueError,
            "must return sequences.*Make it with return_seq",
        ),
    ):
        with pytest.raises(error, match=message):
            IntegerModel(inputs, layers)


def test_a_window_must_know_the_zero_of_what_comes_before_it():
    model = draw((4, 5, 6), classes=3, kernel_sizes=(3, 2, None))
    first, second, third, dense = model.layers
    assert first.input_zero_point == model.inputs.zero_point == -128
    assert second.input_zero_point == 0
    IntegerModel(model.inputs, [first, second, third, dense])
    with pytest.raises(
        ValueError, match="'min_add_gru_0' must take -128 for 0.*zero_point=5. Make it"
    ):
        IntegerModel(model.inputs, [dataclasses.replace(first, input_zero_point=5), *model.layers])
    with pytest.raises(ValueError, match="'min_add_gru_1' must take 0 for 0, as 'min_add_gru_0'"):
        IntegerModel(model.inputs, [first, dataclasses.replace(second, input_zero_point=-128)])
    with pytest.raises(ValueError, match="'min_add_gru_0' must return sequences"):
        IntegerModel(model.inputs, [dataclasses.replace(first, return_sequences=False), second])


def test_it_takes_neither_keras_nor_tensorflow(tmp_path):
    model = draw((4,), classes=2)
    model.save(tmp_path / "model.safetensors")
    code = (
        "import sys, numpy, addrnn\n"
        f"model = addrnn.load({str(tmp_path / 'model.safetensors')!r})\n"
        "print(model.run(numpy.ones((1, 2, 3), int)).tolist())\n"
        "print({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules))\n"
    )
    lines = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert lines == [str(model.run(np.ones((1, 2, 3), int)).tolist()), "set()"]
