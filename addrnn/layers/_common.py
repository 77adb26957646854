"""What the integer layers have in common: copies, summaries, and the refusal of sums too large."""

import dataclasses
import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn import _validation
from addrnn._validation import INT32_MAX, check_field


def reduce_to_constructor(layer: Any) -> tuple[Any, ...]:
    """Copies and pickles are made by the constructor, which checks, and whose arrays are fixed."""
    fields = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer)}
    kind: Any = type(layer)
    return functools.partial(kind, **fields), ()


def check_recurrent_fields(layer: Any) -> None:
    """Checks the numbers, flags and the name that all recurrent layers have."""
    check_field(layer, "state_scale", _validation.positive)
    for name in ("go_backwards", "return_sequences"):
        check_field(layer, name, _validation.flag)
    check_field(layer, "name", _validation.text)


def check_bits(layer: Any) -> None:
    """Checks the bits of a layer's inputs and weights, and of its state if it has one."""
    for name, low, high in (
        ("input_bits", 1, 16),
        ("weight_bits", 2, 8),
        ("state_bits", 2, 16),
    ):
        if hasattr(layer, name):
            check_field(layer, name, _validation.integer, low, high)


def check_columns(layer: Any, columns: int, left_shifts: tuple[str, ...] = ()) -> None:
    """Checks the arrays `[2 * H]`: bias, shifts, and the multiplier where there is one."""
    array = _validation.integer_array
    longest_shift = 31 if layer.multiplier is None else 62
    for name, dtype, low, high in (
        ("bias", np.int32, -INT32_MAX, INT32_MAX),
        *((name, np.uint8, 0, 31) for name in left_shifts),
        ("shift", np.uint8, 0, longest_shift),
        ("multiplier", np.int32, 1, INT32_MAX),
    ):
        if name != "multiplier" or layer.multiplier is not None:
            check_field(layer, name, array, dtype, (columns,), low, high)


def half(layer: Any) -> npt.NDArray[np.float64] | float:
    """What rounding adds to the sums of a recurrent layer, where no multiplier comes before it."""
    if layer.multiplier is not None:
        return 0.0
    return np.asarray(np.floor(np.ldexp(0.5, layer.shift.astype(int))))


def check_sums(layer: Any, magnitude: npt.NDArray[np.float64], fewer: str) -> None:
    """Refuses a layer one of whose sums could leave 32 bits."""
    if magnitude.max() > INT32_MAX:
        raise ValueError(
            f"In layer '{layer.name}' the sum of column {magnitude.argmax()} could reach "
            f"{magnitude.max():.0f}, more than 32 bits hold. Use fewer bits for {fewer}."
        )


def summary(layer: Any, outputs: str) -> str:
    """A line about a layer; its weights would take pages."""
    arrays = (getattr(layer, field.name) for field in dataclasses.fields(layer))
    size = sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
    return (
        f"{type(layer).__name__}('{layer.name}': {layer.features} to {layer.units}, weights of "
        f"{layer.weight_bits} bits, {outputs}, {size / 1000:.1f} kB)"
    )
