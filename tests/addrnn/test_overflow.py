"""The bound of the accumulators: met by exact sums, and kept by the steps that are allowed."""

import numpy as np
import pytest

from addrnn import _overflow, _scale_search
from addrnn._integers import weight_max
from addrnn._validation import INT32_MAX


def test_by_hand():
    products = [(np.array([[1.0, -2.0], [3.0, 4.0]]), 10, 1), (np.array([[-5.0, 6.0]]), 7, [2, 4])]
    magnitude = _overflow.accumulator_magnitude(np.array([-8.0, 9.0]), products, 0.5)
    assert magnitude.tolist() == [8 + 40 + 70 + 0.5, 9 + 60 + 168 + 0.5]


@pytest.mark.parametrize("bits", [2, 3, 5, 8])
@pytest.mark.parametrize("size", [1, 30, 4000])
def test_the_finest_steps_fit_and_finer_ones_hardly_do(bits, size):
    """Rounded weights stay below 2^31; at 8 bits a step four times as fine would not."""
    rng = np.random.default_rng(0)
    products = [
        ((rng.normal(size=(size, 50)) * 10.0**exponent).astype("float32"), greatest)
        for exponent, greatest in ((2, 255.0), (-1, 32767.0))
    ]
    bias = (1e5 * rng.normal(size=50)).astype("float32")
    greatest = weight_max(bits)
    least, clipped = _overflow.least_exponent(products, bias, 32768.0, greatest)

    def magnitude(least):
        rounded = [
            _scale_search.quantize_columns(weights, greatest, least) for weights, _ in products
        ]
        finest = np.minimum(least, np.min([exponent for _, exponent in rounded], 0))
        return _overflow.accumulator_magnitude(
            np.round(np.ldexp(clipped.astype(float), -finest)),
            [
                (integers.astype(float), limit, np.ldexp(1.0, exponent - finest))
                for (integers, exponent), (_, limit) in zip(rounded, products, strict=True)
            ],
            np.ldexp(0.5, -finest),
        )

    assert magnitude(least).max() <= INT32_MAX
    if bits == 8:
        assert magnitude(least - 2).min() > INT32_MAX


def test_a_bias_without_further_effect_is_clipped():
    products = [(np.ones((1, 1), "float32"), 8.0)]
    _, bias = _overflow.least_exponent(products, np.float32([1e20]), 100.0, 1)
    assert 108 <= bias[0] < 130
    _, bias = _overflow.least_exponent(products, np.float32([-50]), 100.0, 1)
    assert bias[0] == -50


@pytest.mark.parametrize("bits", [2, 8])
def test_the_finest_step_of_a_dense_layer_fits(bits):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(30, 7)).astype("float32")
    for bias in (np.zeros(7, "float32"), (1e6 * rng.normal(size=7)).astype("float32")):
        step = _overflow.least_step(kernel, 32768.0, bias)
        rounded = np.round(kernel / step).astype(float), np.round(bias / step).astype(float)
        magnitude = _overflow.accumulator_magnitude(rounded[1], [(rounded[0], 32768.0, 1)])
        assert 0.9 * INT32_MAX < magnitude.max() <= INT32_MAX
