"""What the integer description asks of its arrays and numbers."""

import numbers
import operator

import numpy as np

INT32_MAX = 2**31 - 1


def signed_range(bits):
    """The least and the greatest signed integer of so many bits."""
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def weight_max(bits):
    """The greatest magnitude of a weight: the range is symmetric, so 2 bits are -1, 0 and 1."""
    return max(2 ** (bits - 1) - 1, 1)


def integer(name, value, low, high):
    """The value as an int from `low` to `high`.

    Raises:
        TypeError: It is not an integer.
        ValueError: It is out of range.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"`{name}` must be an integer. Received: {value!r}")
    if not low <= number <= high:
        raise ValueError(f"`{name}` must be from {low} to {high}. Received: {number}")
    return number


def scale(name, value):
    """The value as a float, if it is finite and positive.

    Raises:
        TypeError: It is not a number.
        ValueError: It is not finite and positive.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"`{name}` must be a number. Received: {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = np.inf
    if not (np.isfinite(number) and number > 0):
        raise ValueError(f"`{name}` must be a finite positive number. Received: {value!r}")
    return number


def flag(name, value):
    """The value as a bool.

    Raises:
        TypeError: It is not True or False.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"`{name}` must be True or False. Received: {value!r}")
    return bool(value)


def text(name, value):
    """The value as a str.

    Raises:
        TypeError: It is not one.
    """
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be a string. Received: {value!r}")
    return str(value)


def array(name, value, dtype, shape, low, high):
    """The value as a read-only array of that dtype and shape, with values from `low` to `high`.

    Args:
        shape: Tuple of sizes; None where any size of at least 1 will do.

    Raises:
        TypeError: It does not hold integers.
        ValueError: It has another shape, or a value out of range.
    """
    given = np.asarray(value)
    if given.dtype.kind not in "iu":
        raise TypeError(f"`{name}` must hold integers. Received: dtype={given.dtype}")
    fits = len(given.shape) == len(shape) and all(
        size >= 1 if expected is None else size == expected
        for size, expected in zip(given.shape, shape, strict=True)
    )
    if not fits:
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"`{name}` must be of shape ({expected}). Received: {tuple(given.shape)}")
    if given.min() < low or given.max() > high:
        raise ValueError(
            f"`{name}` must hold values from {low} to {high}. Received: from {given.min()} to "
            f"{given.max()}"
        )
    owned = np.ascontiguousarray(given, dtype).copy()
    owned.setflags(write=False)
    return owned
