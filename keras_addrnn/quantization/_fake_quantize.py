"""Integers as floats that a gradient passes through: what quantisation-aware training computes.

Everything here is in units of the integers, on floats that hold whole numbers. A float32 holds them
exactly below 2^24, and there the results are those of `golden`, bit for bit. Rounding has the
derivative 1 (the straight-through estimator, arXiv 1308.3432).
"""

import keras
import numpy as np

ops = keras.ops

_EXPONENTS = 100
_POWERS = np.ldexp(np.float32(1), np.arange(-_EXPONENTS, _EXPONENTS + 1))

# The powers of two that are tried for a column's step, relative to the least one with which its
# largest weight is not cut off. The first of the best is taken.
_TRIED = (1, 0, -1, -2)

# How far weights are drawn towards zero, relative to the largest. The last leaves none.
_DRAWN = np.linspace(0, 1, 33, dtype="float32")


def round_half_up(value):
    """The nearest integers, a half goes up; with derivative 1."""
    floor = ops.floor(value)
    # Not `floor(value + 0.5)`: just below a half the sum itself would be rounded up.
    return through(value, ops.where(value - floor >= 0.5, floor + 1, floor))


def through(value, integers):
    """The integers, with the derivative of `value`.

    Exact where they are the nearest to `value`, or between 0 and the nearest: then so is the
    difference, and the sum gives the integers back.
    """
    return value + ops.stop_gradient(integers - value)


def clip(value, low, high):
    """`value` from `low` to `high`; with derivative 1 there, ends included, and 0 elsewhere."""
    # Not `keras.ops.clip`, whose derivative at the ends depends on the backend.
    value = ops.where(value < low, ops.full_like(value, low), value)
    return ops.where(value > high, ops.full_like(value, high), value)


def quantize_inputs(real, affine):
    """Real numbers as the integers of an `Quantization`, zero point included, float32.

    The division is in float64, as in `Quantization.quantize`, where the backend has it.
    """
    precise = "float32" if keras.backend.backend() == "jax" else "float64"
    scaled = ops.cast(real, precise) / affine.scale
    low, high = affine.range
    integers = clip(round_half_up(scaled), low - affine.zero_point, high - affine.zero_point)
    return ops.cast(integers + affine.zero_point, "float32")


def power_of_two(exponent):
    """`2**exponent`, exactly, for int32 from -100 to 100."""
    return ops.take(ops.convert_to_tensor(_POWERS), exponent + _EXPONENTS)


def ceil_log2(value):
    """The least exponent, int32, whose power of two is not below the positive `value`, or nearly.

    Values just above a power of two may get its exponent, as far as a logarithm in float32 goes.
    """
    exponent = ops.cast(ops.ceil(ops.log2(ops.maximum(value, _POWERS[0]))), "int32")
    # Both ends, as NaN may become any integer.
    return ops.clip(exponent, -_EXPONENTS, _EXPONENTS - 1)


def quantize_columns(weights, greatest, least_exponent):
    """The weights as integers times a power of two for each column.

    Each column gets the power of two with the least squared error. What lies beyond the range of
    the integers is cut off, but the derivative is 1 there too, so that no weight is stuck.

    Args:
        weights: `[N, C]`.
        greatest: The greatest integer; the least one is `-greatest`.
        least_exponent: int32 `[C]`, below which no exponent goes.

    Returns:
        The integers as floats `[N, C]` and the exponents, int32 `[C]`. A column of zeros has the
        exponent 0.
    """
    fixed = ops.stop_gradient(weights)
    fitting = ceil_log2(ops.max(ops.abs(fixed), axis=0) / greatest)
    least = ops.maximum(least_exponent, -_EXPONENTS)
    candidates = [ops.maximum(fitting + offset, least) for offset in _TRIED]
    errors = []
    for exponent in candidates:
        step = power_of_two(exponent)
        errors.append(ops.sum(ops.square(_integers(fixed / step, greatest) * step - fixed), axis=0))
    best = ops.argmin(ops.stack(errors), axis=0)
    exponent = ops.take_along_axis(ops.stack(candidates), best[None], axis=0)[0]
    scaled = weights / power_of_two(exponent)
    integers = _integers(ops.stop_gradient(scaled), greatest)
    exponent = ops.where(ops.any(integers != 0, axis=0), exponent, ops.zeros_like(exponent))
    return through(scaled, integers), exponent


def quantize_columns_within(weights, widths, greatest, least_exponent, widest):
    """Like `quantize_columns`, for sums that go over few values.

    A column whose sum would go over more has all its weights drawn towards zero by the same amount,
    as a penalty on their magnitudes would do, until it fits; the smallest become 0. Of the powers
    of two, each with the least amount that does, the one with the least error of the sum is taken.
    The derivative is 1 for what is drawn to 0 as well, so that no weight is stuck.

    Args:
        weights: `[N, C]`.
        widths: `[N]`, the greatest less the least value that is multiplied with each row.
        greatest: The greatest integer; the least one is `-greatest`.
        least_exponent: int32 `[C]`, below which no exponent goes.
        widest: The greatest less the least value of a column's sum, at most.

    Returns:
        As `quantize_columns`, and how far each column's own magnitudes go beyond `widest`: `[C]`,
        as a fraction of it, with a gradient.
    """
    fixed = ops.stop_gradient(weights)
    widths = ops.convert_to_tensor(np.asarray(widths, "float32")[:, None])
    largest = ops.max(ops.abs(fixed), axis=0)
    drawn = ops.convert_to_tensor(_DRAWN)[:, None, None] * largest
    smaller = ops.sign(fixed) * ops.relu(ops.abs(fixed) - drawn)
    fitting = ceil_log2(largest / greatest)
    least = ops.maximum(least_exponent, -_EXPONENTS)
    found = []
    for offset in _TRIED:
        exponent = ops.maximum(fitting + offset, least)
        step = power_of_two(exponent)
        integers = _integers(smaller / step, greatest)
        fits = ops.sum(ops.abs(integers) * widths, axis=1) <= widest
        first = ops.argmax(ops.cast(fits, "int32"), axis=0)[None, None]
        integers = ops.take_along_axis(integers, ops.broadcast_to(first, (1, *fixed.shape)), axis=0)
        error = ops.sum(ops.square((integers[0] * step - fixed) * widths), axis=0)
        found.append((error, exponent, integers[0]))
    errors, exponents, integers = (ops.stack(parts) for parts in zip(*found, strict=True))
    best = ops.argmin(errors, axis=0)[None]
    exponent = ops.take_along_axis(exponents, best, axis=0)[0]
    best = ops.broadcast_to(best[:, None], (1, *fixed.shape))
    integers = ops.take_along_axis(integers, best, axis=0)[0]
    scaled = weights / power_of_two(exponent)
    excess = ops.relu(ops.sum(ops.abs(scaled) * widths, axis=0) / widest - 1)
    exponent = ops.where(ops.any(integers != 0, axis=0), exponent, ops.zeros_like(exponent))
    return through(scaled, integers), exponent, excess


def quantize_whole(weights, greatest, least_step):
    """The weights as integers times one step for all, with the least squared error of some.

    Args:
        weights: `[N, C]`.
        greatest: The greatest integer; the least one is `-greatest`.
        least_step: Positive number, below which the step does not go.

    Returns:
        The integers as floats `[N, C]` and the step, without a gradient.
    """
    fixed = ops.stop_gradient(weights)
    widest = ops.maximum(ops.max(ops.abs(fixed)) / greatest, _POWERS[0])
    # At few bits it pays to cut off the largest weights.
    steps = widest * np.linspace(1.0, 0.3, 29, dtype="float32")
    steps = ops.maximum(steps, least_step)[:, None, None]
    rounded = _integers(fixed / steps, greatest) * steps
    errors = ops.sum(ops.square(rounded - fixed), axis=(1, 2))
    step = ops.take(ops.reshape(steps, (-1,)), ops.argmin(errors))
    scaled = weights / step
    return through(scaled, _integers(ops.stop_gradient(scaled), greatest)), step


def _integers(scaled, greatest):
    return ops.clip(ops.floor(scaled + 0.5), -greatest, greatest)
