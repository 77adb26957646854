"""The tensors of a sequence whose gates read a window of the inputs; and their checks."""

from collections.abc import Callable
from typing import Any, NamedTuple

from addrnn import _tensors, _validation


class WindowTensors(NamedTuple):
    """The tensors of one call, of any framework; or one fact about each, such as its shape.

    Attributes:
        inputs: `[B, T, D]`.
        kernel: `[w, D, 2H]`. Its last tap meets the step's own inputs, its first those of `w - 1`
            steps before.
        bias: `[2H]`, or None for zeros.
        initial_state: `[B, H]`, or None for zeros.
        mask: `[B, T]`, or None. Where it is False, the state stays as it is, and the window reads
            zeros.
        initial_inputs: `[B, w - 1, D]`, the inputs before the first step, oldest first; or None
            for zeros.
    """

    inputs: Any
    kernel: Any
    bias: Any = None
    initial_state: Any = None
    mask: Any = None
    initial_inputs: Any = None

    def map(self, function: Callable[[Any], Any]) -> "WindowTensors":
        """The function's result for each tensor; None stays None."""
        return WindowTensors(*(None if item is None else function(item) for item in self))

    def require_weights(self) -> None:
        """Raises an `ArgumentTypeError` where one of the first two is None."""
        _tensors.require(self, ("inputs", "kernel"))


def check_shapes(shapes: WindowTensors) -> None:
    """Checks that shapes fit each other; a size of None is not known yet, and passes.

    The number of units is half of the kernel's columns, which must be known.

    Args:
        shapes: Tuples of sizes.

    Raises:
        ArgumentValueError: A shape does not fit.
    """
    inputs, kernel = shapes.inputs, shapes.kernel
    if len(inputs) != 3:
        raise _validation.shape_error("inputs", "[batch, time, features]", inputs)
    if len(kernel) != 3:
        raise _validation.shape_error("kernel", "[kernel_size, features, 2 * units]", kernel)
    taps, _, columns = kernel
    if not taps or not columns or columns % 2:
        least = "[kernel_size, features, 2 * units] with at least one tap and one unit"
        raise _validation.shape_error("kernel", least, kernel)
    batch, time, features = inputs
    expected = WindowTensors(
        inputs,
        (taps, features, columns),
        (columns,),
        (batch, columns // 2),
        (batch, time),
        (batch, taps - 1, features),
    )
    names = ("kernel", "bias", "initial_state", "mask", "initial_inputs")
    _tensors.check_fit(shapes, expected, names)


def check_dtypes(dtypes: WindowTensors, *, is_float: bool, cast: str) -> None:
    """Checks that all tensors but the mask have one floating-point dtype.

    Args:
        dtypes: Names of dtypes.
        is_float: Whether the framework takes the dtype of the inputs for a floating-point one.
        cast: The framework's function that casts a tensor.

    Raises:
        ArgumentTypeError: A dtype is another.
    """
    names = ("kernel", "bias", "initial_state", "initial_inputs")
    _tensors.check_one_dtype(dtypes, names, is_float=is_float, cast=cast)
