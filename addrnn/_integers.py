"""The ranges of the integers, and how a number becomes one.

`xp` is the module that computes: NumPy, or `keras.ops`, which has the same functions.
"""

from typing import Any

import numpy as np


def signed_range(bits: int) -> tuple[int, int]:
    """The least and the greatest signed integer of so many bits."""
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def weight_max(bits: int) -> int:
    """The greatest magnitude of a weight: the range is symmetric, so 2 bits are -1, 0 and 1."""
    return int(max(2 ** (bits - 1) - 1, 1))


def round_half_up(value: Any, xp: Any = np) -> Any:
    """The nearest whole numbers, a half goes up, as floats."""
    floor = xp.floor(value)
    # Not `floor(value + 0.5)`: slightly below a half the sum itself would be rounded up.
    return xp.where(value - floor >= 0.5, floor + 1, floor)


def nearest(value: Any, greatest: Any, xp: Any = np) -> Any:
    """The nearest whole numbers from `-greatest` to `greatest`, as floats."""
    return xp.clip(round_half_up(value, xp), -greatest, greatest)
