"""The bound of the accumulators: why no sum leaves 32 bits.

A partial sum, in any order, is at most the sum of all magnitudes. `accumulator_magnitude` is that
sum. A layer refuses weights for which it exceeds `INT32_MAX`. `least_exponent` and `least_step` say
how fine the steps of real weights may be so that it does not.

`xp` is the module that computes: NumPy, or `keras.ops`, which has the same functions.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from addrnn import _scale_search
from addrnn._validation import INT32_MAX

# Sums in float32 are this much too small at most.
_MARGIN = 1.001


def accumulator_magnitude(
    bias: Any, products: Sequence[tuple[Any, Any, Any]], rounding: Any = 0.0, xp: Any = np
) -> Any:
    """The magnitude that no partial sum exceeds, in any order, rounding included.

    Args:
        bias: Numbers `[C]`.
        products: For each kernel its weights `[N, C]` as floats, the greatest magnitude that they
            are multiplied with, and the factor of their sum, a number or numbers `[C]`.
        rounding: The number that is added to a sum before it is shifted right.

    Returns:
        Floats `[C]`.
    """
    total = xp.abs(bias) + rounding
    for weights, greatest, factor in products:
        total = total + xp.sum(xp.abs(weights), axis=0) * greatest * factor
    return total


def least_exponent(
    products: Sequence[tuple[Any, float]], bias: Any, effect: Any, weight_max: Any, xp: Any = np
) -> tuple[Any, Any]:
    """The finest power of two that weights may have as their step.

    Rounding adds at most half a step to a weight. No step is above both `2**least_exponent` and
    the coarsest candidate of the search. So the sum of both halves bounds what rounding adds.

    Args:
        products: For each kernel its real weights `[N, C]`, in units of the result, and the
            greatest magnitude that they are multiplied with.
        bias: Real numbers `[C]`.
        effect: A sum of this magnitude saturates; a number or numbers `[C]`.
        weight_max: The greatest integer of a weight.

    Returns:
        The exponents `[C]`; and the bias, clipped where it saturates whatever the products are.
    """
    rest = accumulator_magnitude(
        xp.zeros_like(bias), [(*product, 1.0) for product in products], 0.0, xp
    )
    halves = 1.0
    for weights, greatest in products:
        half = weights.shape[0] * greatest / 2
        rest = rest + half * _scale_search.coarsest_step(weights, weight_max, xp)
        halves += half
    limit = rest + effect
    bias = xp.minimum(xp.maximum(bias, -limit), limit)
    # The sum is rounded by half of the result's unit, the bias by half of its own.
    largest = accumulator_magnitude(bias, [], rest + 1.0, xp)
    return _scale_search.fitting_exponent(largest * _MARGIN, max(INT32_MAX - halves, 1.0), xp), bias


def least_step(kernel: Any, greatest: float, bias: Any, xp: Any = np) -> Any:
    """The finest step that all weights of a dense layer may have.

    Args:
        kernel: Real weights `[N, C]`.
        greatest: The greatest magnitude that they are multiplied with.
        bias: Real numbers `[C]`.
    """
    largest = xp.max(accumulator_magnitude(bias, [(kernel, greatest, 1.0)], 0.0, xp))
    halves = kernel.shape[0] * greatest / 2 + 1.0
    return largest * (_MARGIN / max(INT32_MAX - halves, 1.0))
