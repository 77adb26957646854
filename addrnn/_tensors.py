"""What the structures of tensors have in common: `sequence` and `window_sequence` use it."""

from collections.abc import Iterable, Mapping
from typing import Any

from addrnn import _validation


def require(tensors: Any, names: Iterable[str]) -> None:
    """Raises an `ArgumentTypeError` where a tensor of that name is None."""
    for name in names:
        if getattr(tensors, name) is None:
            raise _validation.type_error(name, "be a tensor", "None")


def check_fit(
    shapes: Any, expected: Any, names: Iterable[str], called: Mapping[str, str] | None = None
) -> None:
    """Checks that the named shapes have the expected sizes; a shape of None is absent.

    Args:
        shapes: A structure of shapes.
        expected: The same structure, of the expected shapes.
        names: In the order in which errors are looked for.
        called: The argument's name, where it is another than the structure's.

    Raises:
        ArgumentValueError: A shape does not fit.
    """
    for name in names:
        shape, sizes = getattr(shapes, name), getattr(expected, name)
        if shape is not None and not _validation.shape_fits(shape, sizes):
            text = f"{_validation.shape_text(sizes)} to fit the other arguments"
            raise _validation.shape_error((called or {}).get(name, name), text, shape)


def check_one_dtype(
    dtypes: Any,
    names: Iterable[str],
    *,
    is_float: bool,
    cast: str,
    called: Mapping[str, str] | None = None,
) -> None:
    """Checks that the named tensors have the dtype of the inputs, a floating-point one.

    Args:
        dtypes: A structure of names of dtypes; None is absent.
        names: As for `check_fit`.
        is_float: Whether the framework takes the dtype of the inputs for a floating-point one.
        cast: The framework's function that casts a tensor.
        called: As for `check_fit`.

    Raises:
        ArgumentTypeError: A dtype is another.
    """
    if not is_float:
        raise _validation.type_error(
            "inputs",
            "have a floating-point dtype",
            f"dtype={dtypes.inputs}",
            f"Cast it with `{cast}`.",
        )
    for name in names:
        dtype = getattr(dtypes, name)
        if dtype not in (None, dtypes.inputs):
            raise _validation.type_error(
                (called or {}).get(name, name),
                f"have the dtype of `inputs`, {dtypes.inputs}",
                f"dtype={dtype}",
                f"Cast one to the other with `{cast}`.",
            )
