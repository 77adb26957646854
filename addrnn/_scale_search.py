"""The search for the steps of weights, the same after training and during it.

`xp` is the module that computes: NumPy after training, `keras.ops` during it. Weights are float32
in both, so both try the same integers. Only the sums of their errors may be rounded differently.
"""

from typing import Any

import numpy as np

from addrnn._integers import nearest

_LIMIT = 100
_POWERS = np.ldexp(np.float32(1), np.arange(-_LIMIT, _LIMIT + 1))

# The powers of two that are tried for a column's step, relative to the least one that clips none of
# its weights. The first of the best is taken.
EXPONENT_OFFSETS = (1, 0, -1, -2)

# The steps that are tried for a whole kernel, relative to the least one that clips none of its
# weights: at few bits it pays to clip the largest.
STEP_FRACTIONS = np.linspace(1.0, 0.3, 29, dtype="float32")


def power_of_two(exponent: Any, xp: Any = np) -> Any:
    """`2**exponent` as float32, exactly, for integers from -100 to 100."""
    return xp.take(_POWERS, exponent + _LIMIT)


def fitting_exponent(largest: Any, greatest: Any, xp: Any = np) -> Any:
    """The least exponents whose power of two times `greatest` is not below `largest [C]`."""
    # Not by a logarithm: that of an exact power of two may be rounded up.
    with np.errstate(over="ignore"):  # infinity is not below either
        below = xp.less(greatest * _POWERS[:, None], largest)
    return xp.minimum(xp.sum(below, axis=0), 2 * _LIMIT - 1) - _LIMIT


def candidates(weights: Any, greatest: Any, least: Any, xp: Any = np) -> list[Any]:
    """The exponents `[C]` that are tried for the columns of `weights [N, C]`, in order."""
    fitting = fitting_exponent(xp.max(xp.abs(weights), axis=0), greatest, xp)
    least = xp.maximum(least, -_LIMIT)
    return [xp.maximum(fitting + offset, least) for offset in EXPONENT_OFFSETS]


def coarsest_step(weights: Any, greatest: Any, xp: Any = np) -> Any:
    """The largest step `[C]` that `quantize_columns` tries, where `least` does not ask for more."""
    return power_of_two(candidates(weights, greatest, -_LIMIT, xp)[0], xp)


def quantize_columns(weights: Any, greatest: Any, least: Any, xp: Any = np) -> tuple[Any, Any]:
    """The weights as integers times a power of two for each column, with the least squared error.

    Args:
        weights: float32 `[N, C]`.
        greatest: The greatest integer; the least one is `-greatest`.
        least: Integers `[C]`, below which no exponent goes.

    Returns:
        The integers as floats `[N, C]` and the exponents `[C]`. A column of zeros has the exponent
        0.
    """
    tried = candidates(weights, greatest, least, xp)
    errors = []
    for exponent in tried:
        step = power_of_two(exponent, xp)
        errors.append(
            xp.sum(xp.square(nearest(weights / step, greatest, xp) * step - weights), axis=0)
        )
    best = xp.argmin(xp.stack(errors), axis=0)
    exponent = xp.take_along_axis(xp.stack(tried), best[None], axis=0)[0]
    integers = nearest(weights / power_of_two(exponent, xp), greatest, xp)
    return integers, without_zeros(exponent, integers, xp)


def without_zeros(exponent: Any, integers: Any, xp: Any = np) -> Any:
    """The exponents, 0 for columns of zeros: those would go with any."""
    return xp.where(xp.any(integers != 0, axis=0), exponent, xp.zeros_like(exponent))


def quantize_whole(weights: Any, greatest: Any, least: Any, xp: Any = np) -> tuple[Any, Any]:
    """The weights as integers times one step for all, with the least squared error.

    Args:
        weights: float32 `[N, C]`.
        greatest: The greatest integer; the least one is `-greatest`.
        least: Number, below which the step does not go.

    Returns:
        The integers as floats `[N, C]` and the step.
    """
    largest = xp.max(xp.abs(weights)) * (1.0 / greatest)
    # Weights of zeros leave the step to the bias; without one any would do.
    otherwise = xp.where(least > 0, least, xp.ones_like(largest))
    largest = xp.where(largest > 0, largest, otherwise)
    steps = xp.maximum(largest * STEP_FRACTIONS, least)[:, None, None]
    rounded = nearest(weights / steps, greatest, xp) * steps
    errors = xp.sum(xp.square(rounded - weights), axis=(1, 2))
    step = xp.take(xp.reshape(steps, (-1,)), xp.argmin(errors))
    return nearest(weights / step, greatest, xp), step
