"""What arguments must be, checked in one place and with one wording.

Every error here carries the name of the argument, so that a caller with other names, as a command
line has, need not read it from the text.
"""

import math
import numbers
import operator

import numpy as np

INT32_MAX = 2**31 - 1


class ArgumentValueError(ValueError):
    """A value that is not allowed. `argument` is the name of the argument."""

    argument = None
    # Made anew of a longer message, in a `tf.function`, an error keeps its type only so.
    __init__ = Exception.__init__


class ArgumentTypeError(TypeError):
    """A value of the wrong type; as `ArgumentValueError`."""

    argument = None
    __init__ = Exception.__init__


def value_error(argument, requirement, received, remedy=""):
    """The error "Argument `argument` must `requirement`. Received: `received`. `remedy`"."""
    return _error(ArgumentValueError, argument, requirement, received, remedy)


def type_error(argument, requirement, received, remedy=""):
    """As `value_error`, for a value of the wrong type."""
    return _error(ArgumentTypeError, argument, requirement, received, remedy)


def _error(kind, argument, requirement, received, remedy):
    message = f"Argument `{argument}` must {requirement}. Received: {received}"
    error = kind(f"{message}. {remedy}" if remedy else message)
    error.argument = argument
    return error


def integer(name, value, low, high=None):
    """The value as an int from `low` to `high`; None for no upper bound.

    Raises:
        ArgumentTypeError: It is not an integer.
        ArgumentValueError: It is out of range.
    """
    requirement = f"be an integer from {low} to {high}"
    if high is None:
        requirement = "be a positive integer" if low == 1 else f"be an integer of at least {low}"
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, (bool, np.bool_)):
        raise type_error(name, requirement, f"{name}={value!r}")
    if number < low or (high is not None and number > high):
        raise value_error(name, requirement, f"{name}={number}")
    return number


def finite(name, value, remedy=""):
    """The value as a finite float.

    Raises:
        ArgumentTypeError: It is not a real number.
        ArgumentValueError: It is not finite.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise type_error(name, "be a number", f"{name}={value!r}", remedy)
    try:
        number = float(value)
    except OverflowError:
        raise value_error(
            name, "be a finite number", "a number of more than 10^308", remedy
        ) from None
    if not math.isfinite(number):
        raise value_error(name, "be a finite number", f"{name}={value!r}", remedy)
    return number


def positive(name, value):
    """The value as a finite float above 0; errors as of `finite`."""
    number = finite(name, value)
    if not number > 0:
        raise value_error(name, "be a finite positive number", f"{name}={value!r}")
    return number


def fraction(name, value):
    """The value as a float of at least 0 and below 1; errors as of `finite`."""
    number = finite(name, value)
    if not 0.0 <= number < 1.0:
        raise value_error(name, "be at least 0 and below 1", f"{name}={value!r}")
    return number


def float32(name, value, remedy=""):
    """The value rounded to float32, as a float; errors as of `finite`.

    The fused ops carry their settings as float32. Rounding them for every implementation keeps
    those in agreement to the last bits of float64.
    """
    with np.errstate(over="ignore"):
        number = float(np.float32(finite(name, value, remedy)))
    if not math.isfinite(number):
        raise value_error(name, "be a finite float32 number", f"{name}={value!r}", remedy)
    return number


def flag(name, value):
    """The value as a bool.

    Raises:
        ArgumentTypeError: It is not True or False.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise type_error(name, "be True or False", f"{name}={value!r}")
    return bool(value)


def text(name, value):
    """The value as a str.

    Raises:
        ArgumentTypeError: It is not one.
    """
    if not isinstance(value, str):
        raise type_error(name, "be a string", f"{name}={value!r}")
    return str(value)


def one_of(name, value, choices):
    """The value, if it is one of the choices.

    Raises:
        ArgumentValueError: It is not.
    """
    if not isinstance(value, (str, type(None))) or value not in choices:
        raise value_error(name, f"be one of {tuple(choices)}", f"{name}={value!r}")
    return value


def shape_fits(actual, expected):
    """Whether a shape has the expected sizes; None on either side fits any size."""
    return len(actual) == len(expected) and all(
        None in (size, wanted) or size == wanted
        for size, wanted in zip(actual, expected, strict=True)
    )


def shape_text(sizes):
    """A shape in messages, such as "[any, 4]"; None stands for any size."""
    return f"[{', '.join('any' if size is None else str(size) for size in sizes)}]"


def shape_error(argument, expected, actual):
    """The error for a shape that is not the expected one, which is a text."""
    return value_error(argument, f"have the shape {expected}", f"shape={tuple(actual)}")


def integer_array(name, value, dtype, shape, low, high):
    """The value as a read-only array of that dtype and shape, with values from `low` to `high`.

    Args:
        shape: Tuple of sizes; None where any size of at least 1 will do.

    Raises:
        ArgumentTypeError: It does not hold integers.
        ArgumentValueError: It has another shape, or a value out of range.
    """
    given = np.asarray(value)
    if given.dtype.kind not in "iu":
        raise type_error(name, "hold integers", f"dtype={given.dtype}")
    if not shape_fits(given.shape, shape) or 0 in given.shape:
        raise shape_error(name, shape_text(shape), given.shape)
    in_range(name, given, low, high)
    owned = np.ascontiguousarray(given, dtype).copy()
    owned.setflags(write=False)
    return owned


def in_range(name, values, low, high):
    """Raises an `ArgumentValueError` if an array has a value below `low` or above `high`."""
    if values.size and (values.min() < low or values.max() > high):
        raise value_error(
            name,
            f"hold values from {low} to {high}",
            f"from {values.min()} to {values.max()}",
        )
