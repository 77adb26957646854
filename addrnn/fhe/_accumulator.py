"""The sums that a gate reads, encrypted, and how they come to the scale of the state."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from addrnn import reference
from addrnn.fhe._bounds import BoundedTracer, IntArray
from addrnn.layers import IntegerAddGRU, IntegerMinAddGRU, RecurrentLayer

UPDATE, CANDIDATE = "update gate", "candidate"


class Accumulator:
    """The sums of one half of the columns.

    Args:
        layer: The layer, whose shifts and multipliers bring the sums to its state's scale.
        columns: The columns of the half.
        operands: What is multiplied, each with its matrix of `weights`, `[F, H]`.
        bias: int64 `[H]`.
    """

    def __init__(
        self,
        layer: RecurrentLayer,
        columns: slice,
        operands: Sequence[BoundedTracer],
        weights: Sequence[IntArray],
        bias: IntArray,
    ):
        self.operands, self.weights, self.bias = operands, weights, bias
        self.shift = layer.shift[columns]
        self.multiplier: npt.NDArray[np.integer] | int = 1
        if layer.multiplier is not None:
            self.multiplier = layer.multiplier[columns]
        # The table applies a common factor of a column's weights: the sums need fewer bits.
        self.factor = np.maximum(np.gcd.reduce(np.concatenate(self.weights)), 1)
        self._value: BoundedTracer | None = None

    @classmethod
    def of_add_gru(
        cls, layer: IntegerAddGRU, half: str, inputs: BoundedTracer, state: BoundedTracer | None
    ) -> Self:
        """Those of an `IntegerAddGRU`; `half` is `UPDATE` or `CANDIDATE`, no state is zeros."""
        columns = _columns(layer, half)
        weights = [(layer.kernel.astype(np.int64) << layer.kernel_shift)[:, columns]]
        recurrent = (layer.recurrent_kernel.astype(np.int64) << layer.recurrent_shift)[:, columns]
        operands = [inputs]
        if state is not None and recurrent.any():
            weights.append(recurrent)
            operands.append(state)
        return cls(layer, columns, operands, weights, layer.bias[columns].astype(np.int64))

    @classmethod
    def of_min_add_gru(
        cls, layer: IntegerMinAddGRU, half: str, window: Sequence[BoundedTracer]
    ) -> Self:
        """Those of an `IntegerMinAddGRU`; what `window` lacks of inputs is the zero point."""
        columns = _columns(layer, half)
        kernel = layer.kernel[..., columns].astype(np.int64)
        missing = layer.kernel_size - len(window)
        padding = layer.input_zero_point * kernel[:missing].sum((0, 1))
        bias = layer.bias[columns].astype(np.int64) + padding
        return cls(layer, columns, window, list(kernel[missing:]), bias)

    @property
    def value(self) -> BoundedTracer:
        """The sums over `factor`, without the bias; a table applies `rescale` to them."""
        if self._value is None:
            self._value = self._sum([matrix // self.factor for matrix in self.weights])
        return self._value

    def rescale(self, value: IntArray) -> IntArray:
        """`value` at the scale of the state: NumPy in a table, not encrypted."""
        value = (value * self.factor + self.bias) * self.multiplier
        return np.asarray(reference.round_shift(value, self.shift), np.int64)

    @property
    def is_rescaled(self) -> bool:
        """Whether the sums are not at the scale of the state as they are."""
        return bool(self.shift.any() or np.any(self.multiplier != 1))

    def is_exact_within(self, low: int | None, high: int) -> bool:
        """Whether the sums need no rescaling, and never leave these bounds."""
        if self.is_rescaled:
            return False
        lowest, highest = self.rescale(self.value.low), self.rescale(self.value.high)
        return bool((low is None or (lowest >= low).all()) and (highest <= high).all())

    def exact(self) -> BoundedTracer:
        """The sums with their bias."""
        return self._sum(self.weights) + self.bias

    def _sum(self, weights: Sequence[IntArray]) -> BoundedTracer:
        total, *terms = (
            value @ matrix for value, matrix in zip(self.operands, weights, strict=True)
        )
        for term in terms:
            total = total + term
        return total


def _columns(layer: RecurrentLayer, half: str) -> slice:
    return slice(0, layer.units) if half == UPDATE else slice(layer.units, 2 * layer.units)


def relu(value: IntArray) -> IntArray:
    """The positive part, as a table needs it."""
    return np.maximum(value, 0).astype(np.int64)
