"""Real numbers as integers: by hand, and the nearest integer in range by exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addrnn import Quantization


def test_by_hand():
    quantization = Quantization(4, 0.5, -3)
    assert quantization.range == (-8, 7)
    real = [0.0, 0.5, 0.24, 0.25, -0.25, -0.26, -2.5, -2.6, -99, 5.0, 5.3, 1e300]
    assert quantization.quantize(real).tolist() == [-3, -2, -3, -2, -3, -4, -8, -8, -8, 7, 7, 7]
    np.testing.assert_array_equal(quantization.dequantize([-8, -3, 7]), np.float32([-2.5, 0, 5]))


@pytest.mark.parametrize(
    "bits, low, high, dtype",
    [
        (1, -1, 0, np.int8),
        (2, -2, 1, np.int8),
        (8, -128, 127, np.int8),
        (9, -256, 255, np.int16),
        (16, -32768, 32767, np.int16),
    ],
)
def test_range_and_dtype(bits, low, high, dtype):
    quantization = Quantization(bits, 1.0)
    assert quantization.range == (low, high)
    integers = quantization.quantize(np.full((2, 3), 1e9))
    assert integers.dtype == dtype == quantization.dtype
    assert integers.tolist() == [[high] * 3] * 2
    assert quantization.quantize(-1e9) == low


@given(
    bits=st.integers(1, 16),
    exponent=st.integers(-20, 20),
    position=st.floats(0, 1),
    real=st.floats(-1e6, 1e6),
)
def test_the_nearest_in_range(bits, exponent, position, real):
    scale = 2.0**exponent  # so that the division is exact, and a half is a half
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    zero_point = low + round(position * (high - low))
    exact = math.floor(Fraction(real) / Fraction(scale) + Fraction(1, 2)) + zero_point
    assert Quantization(bits, scale, zero_point).quantize(real) == min(max(exact, low), high) or (
        abs(real / scale) % 1 == 0.5 - 2**-54  # the sum with 1/2 is rounded
    )


@given(bits=st.integers(1, 16), scale=st.floats(1e-3, 1e3), position=st.floats(0, 1))
def test_integers_come_back(bits, scale, position):
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    quantization = Quantization(bits, scale, low + round(position * (high - low)))
    integers = np.arange(low, high + 1)
    np.testing.assert_array_equal(
        quantization.quantize(quantization.dequantize(integers)), integers
    )
    assert quantization.dequantize(quantization.zero_point) == 0


def test_a_tiny_scale_saturates():
    assert Quantization(8, 5e-324).quantize([1.0, 0.0, -1.0]).tolist() == [127, 0, -128]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_only_finite_numbers(bad):
    for real, where in (([0.0, bad], r" at index \[1\]"), (bad, "")):
        message = rf"`real` must hold finite numbers. Received: {bad}{where}. Leave such"
        with pytest.raises(ValueError, match=message):
            Quantization(8, 1.0).quantize(real)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ((0, 1.0), ValueError, "`bits` must be an integer from 1 to 16"),
        ((17, 1.0), ValueError, "`bits` must be an integer from 1 to 16"),
        ((8.0, 1.0), TypeError, "`bits` must be an integer"),
        ((True, 1.0), TypeError, "`bits` must be an integer"),
        ((8, 0.0), ValueError, "`scale` must be a finite"),
        ((8, -1.0), ValueError, "`scale` must be a finite"),
        ((8, np.inf), ValueError, "`scale` must be a finite"),
        ((8, np.nan), ValueError, "`scale` must be a finite"),
        ((8, 10**400), ValueError, "`scale` must be a finite"),
        ((8, "1"), TypeError, "`scale` must be a number"),
        ((8, True), TypeError, "`scale` must be a number"),
        ((8, None), TypeError, "`scale` must be a number"),
        ((8, 1.0, 128), ValueError, "`zero_point` must be an integer from -128 to 127"),
        ((8, 1.0, 0.5), TypeError, "`zero_point` must be an integer"),
    ],
)
def test_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        Quantization(*arguments)


def test_complex_numbers_have_no_integer():
    with pytest.raises(TypeError, match="`real` must hold real numbers"):
        Quantization(8, 1.0).quantize([1 + 0j])


def test_numbers_too_small_for_a_scale_are_zeros():
    assert Quantization.of_range(0, 5e-324, 8) == Quantization(8, 1.0)
