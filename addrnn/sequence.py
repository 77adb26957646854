"""The tensors of a sequence, as they go through layers, ops and frameworks; and their checks."""

from collections.abc import Callable
from typing import Any, NamedTuple

from addrnn import _tensors, _validation

_SEQUENCE = "[batch, time, features]"
_STEP = "[batch, features]"


class SequenceTensors(NamedTuple):
    """The tensors of one call, of any framework; or one fact about each, such as its shape.

    For a single step `inputs` are `[B, D]`, and there is no mask.

    Attributes:
        inputs: `[B, T, D]`.
        kernel: `[D, 2H]`.
        recurrent_kernel: `[H, 2H]`.
        bias: `[2H]`, or None for zeros.
        initial_state: `[B, H]`, or None for zeros.
        mask: `[B, T]`, or None. Where it is False, the state stays as it is.
    """

    inputs: Any
    kernel: Any
    recurrent_kernel: Any
    bias: Any = None
    initial_state: Any = None
    mask: Any = None

    def map(self, function: Callable[[Any], Any]) -> "SequenceTensors":
        """The function's result for each tensor; None stays None."""
        return SequenceTensors(*(None if item is None else function(item) for item in self))

    def require_weights(self) -> None:
        """Raises an `ArgumentTypeError` where one of the first three is None."""
        _tensors.require(self, ("inputs", "kernel", "recurrent_kernel"))


def check_shapes(shapes: SequenceTensors, *, one_step: bool = False) -> None:
    """Checks that shapes fit each other; a size of None is not known yet, and passes.

    Args:
        shapes: Tuples of sizes.
        one_step: Whether the inputs are those of one step. Its initial state is called `state`.

    Raises:
        ArgumentValueError: A shape does not fit.
    """
    inputs, recurrent_kernel = shapes.inputs, shapes.recurrent_kernel
    axes = _STEP if one_step else _SEQUENCE
    if len(inputs) != (2 if one_step else 3):
        raise _validation.shape_error("inputs", axes, inputs)
    if len(recurrent_kernel) != 2:
        raise _validation.shape_error("recurrent_kernel", "[units, 2 * units]", recurrent_kernel)
    batch, units = inputs[0], recurrent_kernel[0]
    if not units:
        least = "[units, 2 * units] with at least one unit"
        raise _validation.shape_error("recurrent_kernel", least, recurrent_kernel)
    expected = SequenceTensors(
        inputs,
        (inputs[-1], 2 * units),
        (units, 2 * units),
        (2 * units,),
        (batch, units),
        inputs[:2],
    )
    names = ("recurrent_kernel", "kernel", "bias", "initial_state", "mask")
    _tensors.check_fit(shapes, expected, names, _called(one_step))


def check_dtypes(dtypes: SequenceTensors, *, one_step: bool, is_float: bool, cast: str) -> None:
    """Checks that all tensors but the mask have one floating-point dtype.

    Args:
        dtypes: Names of dtypes.
        one_step: As for `check_shapes`.
        is_float: Whether the framework takes the dtype of the inputs for a floating-point one.
        cast: The framework's function that casts a tensor.

    Raises:
        ArgumentTypeError: A dtype is another.
    """
    names = ("kernel", "recurrent_kernel", "bias", "initial_state")
    called = _called(one_step)
    _tensors.check_one_dtype(dtypes, names, is_float=is_float, cast=cast, called=called)


def _called(one_step: bool) -> dict[str, str]:
    return {"initial_state": "state"} if one_step else {}
