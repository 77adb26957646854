"""Checks of arguments, in one place and with one wording.

Each returns the value. A value of the wrong type raises an `ArgumentTypeError`, and one that is not
allowed an `ArgumentValueError`. Both carry the name of the argument, so that a caller with other
names, as a command line has, need not read it from the text.
"""

import math
import numbers
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

INT32_MAX = 2**31 - 1


class ArgumentValueError(ValueError):
    """A value that is not allowed. `argument` is the name of the argument."""

    argument: str | None = None
    # Made anew of a longer message, in a `tf.function`, an error keeps its type only so.
    __init__ = Exception.__init__


class ArgumentTypeError(TypeError):
    """A value of the wrong type; as `ArgumentValueError`."""

    argument: str | None = None
    __init__ = Exception.__init__


def value_error(
    argument: str, requirement: str, received: object, remedy: str = ""
) -> ArgumentValueError:
    """The error "Argument `argument` must `requirement`. Received: `received`. `remedy`"."""
    error: ArgumentValueError = ArgumentValueError(
        _message(argument, requirement, received, remedy)
    )
    error.argument = argument
    return error


def type_error(
    argument: str, requirement: str, received: object, remedy: str = ""
) -> ArgumentTypeError:
    """As `value_error`, for a value of the wrong type."""
    error: ArgumentTypeError = ArgumentTypeError(_message(argument, requirement, received, remedy))
    error.argument = argument
    return error


def _message(argument: str, requirement: str, received: object, remedy: str) -> str:
    message = f"Argument `{argument}` must {requirement}. Received: {received}"
    return f"{message}. {remedy}" if remedy else message


def check_field(owner: Any, name: str, check: Callable[..., Any], *limits: Any) -> None:
    """Replaces a field of a frozen dataclass by its checked value."""
    object.__setattr__(owner, name, check(name, getattr(owner, name), *limits))


def integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """The value as an int from `low` to `high`; None for no upper bound."""
    requirement = f"be an integer from {low} to {high}"
    if high is None:
        requirement = "be a positive integer" if low == 1 else f"be an integer of at least {low}"
    try:
        number = operator.index(value)
    except TypeError:
        raise type_error(name, requirement, f"{name}={value!r}") from None
    if isinstance(value, (bool, np.bool_)):
        raise type_error(name, requirement, f"{name}={value!r}")
    if number < low or (high is not None and number > high):
        raise value_error(name, requirement, f"{name}={number}")
    return number


def finite(name: str, value: Any, remedy: str = "") -> float:
    """The value as a finite float."""
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


def positive(name: str, value: Any) -> float:
    """The value as a finite float above 0."""
    number = finite(name, value)
    if not number > 0:
        raise value_error(name, "be a finite positive number", f"{name}={value!r}")
    return number


def fraction(name: str, value: Any) -> float:
    """The value as a float of at least 0 and below 1."""
    number = finite(name, value)
    if not 0.0 <= number < 1.0:
        raise value_error(name, "be at least 0 and below 1", f"{name}={value!r}")
    return number


def float32(name: str, value: Any, remedy: str = "") -> float:
    """The value rounded to float32, as a float.

    The fused ops carry their settings as float32. Rounding them for every implementation keeps
    those in agreement to the last bits of float64.
    """
    with np.errstate(over="ignore"):
        number = float(np.float32(finite(name, value, remedy)))
    if not math.isfinite(number):
        raise value_error(name, "be a finite float32 number", f"{name}={value!r}", remedy)
    return number


def flag(name: str, value: Any) -> bool:
    """The value as a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise type_error(name, "be True or False", f"{name}={value!r}")
    return bool(value)


def text(name: str, value: Any) -> str:
    """The value as a str."""
    if not isinstance(value, str):
        raise type_error(name, "be a string", f"{name}={value!r}")
    return str(value)


def one_of(name: str, value: Any, choices: Iterable[Any]) -> Any:
    """The value, if it is one of the choices."""
    if not isinstance(value, (str, type(None))) or value not in choices:
        raise value_error(name, f"be one of {tuple(choices)}", f"{name}={value!r}")
    return value


def shape_fits(actual: Sequence[int | None], expected: Sequence[int | None]) -> bool:
    """Whether a shape has the expected sizes; None on either side fits any size."""
    return len(actual) == len(expected) and all(
        None in (size, wanted) or size == wanted
        for size, wanted in zip(actual, expected, strict=True)
    )


def shape_text(sizes: Sequence[int | None]) -> str:
    """A shape in messages, such as "[any, 4]"; None stands for any size."""
    return f"[{', '.join('any' if size is None else str(size) for size in sizes)}]"


def shape_error(
    argument: str, expected: str, actual: Sequence[int | None], remedy: str = ""
) -> ArgumentValueError:
    """The error for a shape that is not the expected one, which is a text."""
    return value_error(argument, f"have the shape {expected}", f"shape={tuple(actual)}", remedy)


def integer_array(
    name: str,
    value: Any,
    dtype: npt.DTypeLike,
    shape: Sequence[int | None],
    low: int,
    high: int,
) -> npt.NDArray[Any]:
    """The value as a read-only array of that dtype and shape, with values from `low` to `high`.

    A size of None in `shape` stands for any size of at least 1.
    """
    given = integers(name, value)
    if not shape_fits(given.shape, shape) or 0 in given.shape:
        raise shape_error(name, shape_text(shape), given.shape)
    in_range(name, given, low, high)
    owned = np.ascontiguousarray(given, dtype).copy()
    owned.setflags(write=False)
    return owned


def integers(name: str, value: npt.ArrayLike, remedy: str = "") -> npt.NDArray[Any]:
    """The value as an array of integers."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise type_error(name, "hold integers", f"dtype={array.dtype}", remedy)
    return array


def check_finite(name: str, values: npt.NDArray[Any], remedy: str) -> None:
    """Checks that an array of floats holds neither NaN nor infinity."""
    finite = np.isfinite(values)
    if not finite.all():
        index = tuple(np.argwhere(~finite)[0].tolist())
        received = f"{values[index]} at index {list(index)}" if index else values[index]
        raise value_error(name, "hold finite numbers", received, remedy)


def in_range(name: str, values: npt.NDArray[Any], low: int, high: int) -> None:
    """Checks that no value of an array is below `low` or above `high`."""
    if values.size and (values.min() < low or values.max() > high):
        raise value_error(
            name, f"hold values from {low} to {high}", f"from {values.min()} to {values.max()}"
        )
