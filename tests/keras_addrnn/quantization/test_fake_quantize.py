"""Rounding, ranges and steps, as integers and as what a gradient passes through."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addrnn import _overflow, _scale_search, weight_quantization
from addrnn.quantization import Quantization
from keras_addrnn.quantization import _fake_quantize
from tests.backends import to_numpy


def gradient(function, value):
    """Of the sum of the function's results."""
    import tensorflow as tf

    value = tf.constant(value, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(value)
        total = tf.reduce_sum(function(value))
    return to_numpy(tape.gradient(total, value))


@pytest.mark.backend_neutral
def test_a_half_is_rounded_up():
    given = [-1.5, -0.5, -0.25, 0.0, 0.49999997, 0.5, 1.5, 2.4999998, 8388607.5]
    values = keras.ops.convert_to_tensor(np.array(given, "float32"))
    expected = [-1, 0, 0, 0, 0, 1, 2, 2, 8388608]
    np.testing.assert_array_equal(to_numpy(_fake_quantize.round_half_up(values)), expected)


@pytest.mark.backend_neutral
@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-(2**22), 2**22, width=32), min_size=1, max_size=20))
def test_rounding_is_exact(values):
    rounded = _fake_quantize.round_half_up(keras.ops.convert_to_tensor(np.array(values, "float32")))
    np.testing.assert_array_equal(to_numpy(rounded), np.floor(np.array(values) + 0.5))


def test_rounding_passes_the_gradient_on():
    assert gradient(_fake_quantize.round_half_up, [0.1, 0.5, -7.3]).tolist() == [1, 1, 1]


def test_clipping_passes_the_gradient_on_within_the_bounds():
    def clip(value):
        return _fake_quantize.clip(value, -1.0, 2.0)

    values = [-1.5, -1.0, 0.25, 2.0, 2.5]
    np.testing.assert_array_equal(to_numpy(clip(keras.ops.array(values))), [-1, -1, 0.25, 2, 2])
    assert gradient(clip, values).tolist() == [0, 1, 1, 1, 0]


@pytest.mark.backend_neutral
def test_powers_of_two_are_exact():
    exponents = np.arange(-100, 101, dtype="int32")
    powers = to_numpy(_fake_quantize.power_of_two(keras.ops.convert_to_tensor(exponents)))
    np.testing.assert_array_equal(powers, np.ldexp(1.0, exponents))


@pytest.mark.parametrize(
    "quantization",
    [Quantization(8, 1 / 255, -128), Quantization(4, 0.3, 2), Quantization(16, 1e-3)],
)
def test_inputs_become_the_integers_of_their_quantization(quantization):
    rng = np.random.default_rng(0)
    real = (
        rng.normal(size=(5, 3, 7)).astype("float32")
        * quantization.scale
        * 2.0**quantization.bits
        / 2
    )
    halves = ((np.arange(-8, 8) + 0.5) * quantization.scale).astype("float32")
    for values in (real, halves):
        integers = to_numpy(_fake_quantize.quantize_inputs(keras.ops.array(values), quantization))
        np.testing.assert_array_equal(integers, quantization.quantize(values))


@pytest.mark.backend_neutral
@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (64, 10)])
def test_columns_get_the_steps_of_post_training(bits, shape):
    real = np.random.default_rng(bits).normal(size=shape).astype("float32")
    greatest = max(2 ** (bits - 1) - 1, 1)
    least = keras.ops.full(shape[1:], -30, dtype="int32")
    integers, exponents = _fake_quantize.quantize_columns(
        keras.ops.convert_to_tensor(real), greatest, least
    )
    expected = _scale_search.quantize_columns(real, greatest, np.full(shape[1:], -30))
    np.testing.assert_array_equal(to_numpy(integers), expected[0])
    np.testing.assert_array_equal(to_numpy(exponents), expected[1])


@pytest.mark.backend_neutral
def test_columns_by_hand():
    # -1, 0, 1 times a half; the least exponent; a column of zeros.
    real = np.array([[0.5, 2.0**-9, 0.0], [-0.5, 2.0**-9, 0.0], [0.1, 0.0, 0.0]], "float32")
    least = keras.ops.convert_to_tensor(np.array([-20, -4, -20], "int32"))
    integers, exponents = _fake_quantize.quantize_columns(
        keras.ops.convert_to_tensor(real), 1, least
    )
    assert to_numpy(integers).tolist() == [[1, 0, 0], [-1, 0, 0], [0, 0, 0]]
    assert to_numpy(exponents).tolist() == [-1, 0, 0]


def test_every_weight_has_a_gradient():
    def integers_times_step(real):
        least = keras.ops.full((2,), -20, dtype="int32")
        integers, exponent = _fake_quantize.quantize_columns(real, 1, least)
        return integers * _fake_quantize.power_of_two(exponent)

    real = np.random.default_rng(0).normal(size=(9, 2)).astype("float32")
    np.testing.assert_array_equal(gradient(integers_times_step, real), np.ones((9, 2)))


@pytest.mark.backend_neutral
@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_one_step_for_all_is_that_of_post_training(bits):
    real = np.random.default_rng(0).normal(size=(31, 5)).astype("float32")
    greatest = max(2 ** (bits - 1) - 1, 1)
    integers, step = _fake_quantize.quantize_whole(keras.ops.convert_to_tensor(real), greatest, 0.0)
    expected = weight_quantization.dense(real, None, inputs=Quantization(8, 1.0), weight_bits=bits)
    np.testing.assert_array_equal(to_numpy(integers), expected.kernel)
    np.testing.assert_allclose(float(to_numpy(step)), expected.scale, rtol=1e-6)


@pytest.mark.backend_neutral
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_the_bound_of_the_accumulators_is_that_of_post_training(bits):
    rng = np.random.default_rng(bits)
    weights = [rng.normal(size=(size, 40)).astype("float32") for size in (9, 31)]
    bias = (1e4 * rng.normal(size=40)).astype("float32")
    greatest = max(2 ** (bits - 1) - 1, 1)

    def both(xp, asarray):
        products = [
            (asarray(value), limit) for value, limit in zip(weights, (200.0, 3e4), strict=True)
        ]
        scaled = [(value, limit, 4.0) for value, limit in products]
        return (
            *_overflow.least_exponent(products, asarray(bias), 3e4, greatest, xp),
            _overflow.least_step(asarray(weights[0]), 128.0, asarray(bias), xp),
            _overflow.accumulator_magnitude(asarray(bias), scaled, 0.5, xp),
        )

    expected = both(np, np.asarray)
    for value, wanted in zip(both(keras.ops, keras.ops.convert_to_tensor), expected, strict=True):
        np.testing.assert_allclose(to_numpy(value), wanted, rtol=1e-6)


@pytest.mark.backend_neutral
@pytest.mark.parametrize("bits", (2, 3, 5, 6, 9))
def test_sums_go_over_as_few_values_as_they_may(bits):
    rng = np.random.default_rng(bits)
    values = rng.normal(size=(11, 6)).astype("float32") * 2.0 ** np.arange(-3, 3, dtype="float32")
    values[:, 2] = 0
    widths = np.repeat([3, 7], (4, 7))
    integers, exponents, excess = (
        to_numpy(part)
        for part in _fake_quantize.quantize_columns_within(
            keras.ops.convert_to_tensor(values), widths, 7, np.full(6, -20, "int32"), 2**bits - 1
        )
    )
    np.testing.assert_array_equal(integers, np.rint(integers))
    assert ((np.abs(integers) * widths[:, None]).sum(0) <= 2**bits - 1).all()
    assert np.abs(integers).max() <= 7
    # Nothing changes its sign or grows by more than rounding does.
    step = 2.0**exponents
    assert (integers * values >= 0).all()
    assert (np.abs(integers * step) <= np.abs(values) + step / 2).all()
    assert exponents[2] == 0 and excess[2] == 0
    # By hand: what the real weights would need.
    needed = (np.abs(values / step) * widths[:, None]).sum(0) / (2**bits - 1)
    left = integers.any(0)
    np.testing.assert_allclose(excess[left], np.maximum(needed - 1, 0)[left], rtol=1e-5, atol=1e-6)


@pytest.mark.backend_neutral
def test_where_sums_fit_nothing_is_cut():
    values = np.random.default_rng(0).normal(size=(9, 5)).astype("float32")
    least = np.full(5, -20, "int32")
    tensor = keras.ops.convert_to_tensor(values)
    expected = _fake_quantize.quantize_columns(tensor, 3, least)
    widths = np.ones(9)
    integers, exponents, _ = _fake_quantize.quantize_columns_within(tensor, widths, 3, least, 1e6)
    np.testing.assert_array_equal(to_numpy(integers), to_numpy(expected[0]))
    np.testing.assert_array_equal(to_numpy(exponents), to_numpy(expected[1]))


def test_a_column_by_hand():
    # Widths of 1 and sums over at most 4 values: three of the four ones have to go.
    values = [[1.4], [-1.3], [0.9], [0.8], [-0.6]]

    def integers(weights):
        least = np.zeros(1, "int32")
        return _fake_quantize.quantize_columns_within(weights, np.ones(5), 1, least, 3)[0]

    given = keras.ops.array(values, "float32")
    np.testing.assert_array_equal(to_numpy(integers(given))[:, 0], [1, -1, 1, 0, 0])
    assert gradient(integers, values).tolist() == [[1]] * 5
