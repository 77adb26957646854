"""Integers as floats that a gradient passes through: what quantization-aware training computes.

Everything here is in units of the integers, on floats that hold whole numbers. A float32 holds them
exactly below 2^24, and there the results are those of `addrnn.reference`, bit for bit. Rounding has
the derivative 1 (the straight-through estimator, arXiv 1308.3432).
"""

import keras
import numpy as np

from addrnn import _integers, _scale_search
from addrnn.quantization import Quantization

ops = keras.ops

# How far weights are shrunk towards zero, relative to the largest. The last leaves none.
_SHRINKAGES = np.linspace(0, 1, 33, dtype="float32")


def round_half_up(value):
    """The nearest integers, a half goes up; with derivative 1."""
    return through(value, _integers.round_half_up(value, ops))


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


def quantize_inputs(real, quantization: Quantization):
    """Real numbers as the integers of a `Quantization`, zero point included, float32.

    The division is in float64, as in `Quantization.quantize`, where the backend has it.
    """
    precise = "float32" if keras.backend.backend() == "jax" else "float64"
    scaled = ops.cast(real, precise) / quantization.scale
    low, high = (end - quantization.zero_point for end in quantization.range)
    integers = clip(round_half_up(scaled), low, high)
    return ops.cast(integers + quantization.zero_point, "float32")


def power_of_two(exponent):
    """`2**exponent`, exactly, for int32 from -100 to 100."""
    return _scale_search.power_of_two(exponent, ops)


def quantize_columns(weights, greatest, least):
    """`addrnn._scale_search.quantize_columns` of weights that a gradient passes through.

    The derivative is 1 where weights are clipped, too, so that none is stuck.
    """
    integers, exponent = _scale_search.quantize_columns(
        ops.stop_gradient(weights), greatest, least, ops
    )
    return through(weights / power_of_two(exponent), integers), exponent


def quantize_columns_within(weights, spans, greatest, least, span_limit):
    """Like `quantize_columns`, for sums that have few values.

    A column whose sum would have more gets all its weights shrunk towards zero by the same amount
    until it fits. The smallest become 0, as a penalty on their magnitudes would make them. Of the
    powers of two, each with the least amount that does, the one with the least error of the sum is
    taken.
    The derivative is 1 for what is shrunk to 0 as well, so that no weight is stuck.

    Args:
        weights: `[N, C]`.
        spans: `[N]`, the greatest less the least value that is multiplied with each row.
        greatest: The greatest integer; the least one is `-greatest`.
        least: int32 `[C]`, below which no exponent goes.
        span_limit: The greatest less the least value of a column's sum, at most.

    Returns:
        As `quantize_columns`, and how far each column's own span is beyond the limit: `[C]`, as a
        fraction of it, with a gradient.
    """
    fixed = ops.stop_gradient(weights)
    spans = ops.convert_to_tensor(np.asarray(spans, "float32")[:, None])
    largest = ops.max(ops.abs(fixed), axis=0)
    shrinkages = ops.convert_to_tensor(_SHRINKAGES)[:, None, None] * largest
    smaller = ops.sign(fixed) * ops.relu(ops.abs(fixed) - shrinkages)
    found = []
    for exponent in _scale_search.candidates(fixed, greatest, least, ops):
        step = power_of_two(exponent)
        integers = _integers.nearest(smaller / step, greatest, ops)
        fits = ops.sum(ops.abs(integers) * spans, axis=1) <= span_limit
        first = ops.argmax(ops.cast(fits, "int32"), axis=0)[None, None]
        integers = ops.take_along_axis(integers, ops.broadcast_to(first, (1, *fixed.shape)), axis=0)
        error = ops.sum(ops.square((integers[0] * step - fixed) * spans), axis=0)
        found.append((error, exponent, integers[0]))
    errors, exponents, integers = (ops.stack(parts) for parts in zip(*found, strict=True))
    best = ops.argmin(errors, axis=0)[None]
    exponent = ops.take_along_axis(exponents, best, axis=0)[0]
    best = ops.broadcast_to(best[:, None], (1, *fixed.shape))
    integers = ops.take_along_axis(integers, best, axis=0)[0]
    scaled = weights / power_of_two(exponent)
    excess = ops.relu(ops.sum(ops.abs(scaled) * spans, axis=0) / span_limit - 1)
    exponent = _scale_search.without_zeros(exponent, integers, ops)
    return through(scaled, integers), exponent, excess


def quantize_whole(weights, greatest, least):
    """`addrnn._scale_search.quantize_whole` of weights that a gradient passes through."""
    integers, step = _scale_search.quantize_whole(ops.stop_gradient(weights), greatest, least, ops)
    return through(weights / step, integers), step
