"""One rounding, and the steps with the least error: by hand and against all that are tried."""

import warnings
from fractions import Fraction

import numpy as np
import pytest

from addrnn import _integers, _scale_search


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_half_is_rounded_up(dtype):
    below = np.nextafter(dtype(0.5), dtype(0))
    values = np.array([-1.5, -0.5, -below, 0.0, below, 0.5, 1.5, 2.5, 2.0**20 + 0.5], dtype)
    rounded = _integers.round_half_up(values)
    assert rounded.dtype == dtype
    assert rounded.tolist() == [-1, 0, 0, 0, 0, 1, 2, 3, 2**20 + 1]
    assert _integers.nearest(values, 2).tolist() == [-1, 0, 0, 0, 0, 1, 2, 2, 2]


def test_the_least_exponent_that_fits_is_exact():
    largest = np.array([1.0, np.nextafter(np.float32(1), 2), 0.99, 7.0, 7.1, 0.0], "float32")
    assert _scale_search.fitting_exponent(largest, 1).tolist() == [0, 1, 0, 3, 3, -100]
    assert _scale_search.fitting_exponent(largest, 7).tolist() == [-2, -2, -2, 0, 1, -100]


@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_columns_have_the_least_error_of_all_that_are_tried(bits):
    weights = np.random.default_rng(bits).normal(size=(7, 20)).astype("float32")
    greatest = _integers.weight_max(bits)
    integers, exponents = _scale_search.quantize_columns(weights, greatest, np.full(20, -30))

    def error(column, exponent):
        total = 0
        for weight in map(Fraction, column.tolist()):
            scaled = weight / Fraction(2) ** exponent
            whole = min(max((2 * scaled + 1) // 2, -greatest), greatest)
            total += (whole * Fraction(2) ** exponent - weight) ** 2
        return total

    for column, found, exponent in zip(weights.T, integers.T, exponents.tolist(), strict=True):
        fitting = int(np.ceil(np.log2(np.abs(column).max() / greatest)))
        tried = [fitting + offset for offset in _scale_search.EXPONENT_OFFSETS]
        best = min(tried, key=lambda tried: error(column, tried))
        assert exponent == best
        wanted = np.clip(np.floor(column / 2.0**best + 0.5), -greatest, greatest)
        np.testing.assert_array_equal(found, wanted)


def test_of_two_steps_without_an_error_the_coarser_is_taken():
    weights = np.array([[1.0, 0.0], [-2.0, 0.0]], "float32")
    integers, exponents = _scale_search.quantize_columns(weights, 127, -30)
    # 2 of 127 fits with 2^-5; one exponent above is tried first.
    assert exponents.tolist() == [-4, 0]
    assert integers.tolist() == [[16, 0], [-32, 0]]


def test_one_step_for_all_of_zeros_follows_the_bias():
    zeros = np.zeros((2, 3), "float32")
    assert _scale_search.quantize_whole(zeros, 7, 0.0)[1] == 1
    assert _scale_search.quantize_whole(zeros, 7, 1e-6)[1] == np.float32(1e-6)


def test_a_large_greatest_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exponents = _scale_search.fitting_exponent(np.float32([1.0, 3.0]), np.float32(2.0**29))
    np.testing.assert_array_equal(exponents, [-29, -27])
