"""The layers of an integer model: their weights, and the proof that no sum overflows."""

import dataclasses
import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn import _overflow, _validation
from addrnn._integers import signed_range, weight_max
from addrnn._validation import INT32_MAX, check_field
from addrnn._validation import integer_array as array


def _reduce_to_constructor(layer: "IntegerAddGRU | IntegerDense") -> tuple[Any, ...]:
    """Copies and pickles are made by the constructor, which checks, and whose arrays are fixed."""
    fields = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer)}
    return functools.partial(type(layer), **fields), ()


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class IntegerAddGRU:
    """An addition-gated recurrent layer in integers; docs/integer.md has the equations.

    All arrays are copied, and read-only afterwards. `D` are the features of the input, `H` the
    units; each row of `2 * H` numbers belongs to the update gate first and then to the candidate.

    Args:
        kernel: int8 `[D, 2 * H]`.
        recurrent_kernel: int8 `[H, 2 * H]`.
        bias: int32 `[2 * H]`, at the scale of the accumulator.
        kernel_shift: uint8 `[2 * H]`, by how many bits the sum over the inputs is shifted left.
        recurrent_shift: uint8 `[2 * H]`, the same for the sum over the state.
        multiplier: int32 `[2 * H]`, by which the accumulator is multiplied before it is shifted
            right; None where that is not needed.
        shift: uint8 `[2 * H]`, by how many bits the accumulator is shifted right, with rounding.
        state_shift: The `s` of the recurrence, an integer of at least 0.
        state_max: Upper bound of the state. `state_max + state_shift` fits into `state_bits`.
        candidate_min, candidate_max: Bounds of the candidate, which stand for its activation.
        input_bits: Integer from 1 to 16, of the signed inputs.
        weight_bits: Integer from 2 to 8, of both kernels; their range is symmetric.
        state_bits: Integer from 2 to 16, of the signed state.
        state_scale: The real number that 1 stands for in the state.
        go_backwards: Whether the sequence is read from its end.
        return_sequences: Whether the output is `[B, T, H]`, or `[B, H]` of the last step.
        name: Name of the layer.

    Raises:
        TypeError: An argument is of the wrong type, an array not of integers.
        ValueError: A shape or a value is not allowed, or a sum could leave 32 bits.
    """

    kernel: npt.NDArray[np.integer]
    recurrent_kernel: npt.NDArray[np.integer]
    bias: npt.NDArray[np.integer]
    kernel_shift: npt.NDArray[np.integer]
    recurrent_shift: npt.NDArray[np.integer]
    multiplier: npt.NDArray[np.integer] | None = None
    shift: npt.NDArray[np.integer]
    state_shift: int = 0
    state_max: int
    candidate_min: int
    candidate_max: int
    input_bits: int
    weight_bits: int
    state_bits: int
    state_scale: float
    go_backwards: bool = False
    return_sequences: bool = False
    name: str = "add_gru"

    def __post_init__(self) -> None:
        integer = _validation.integer
        for name, low, high in (
            ("input_bits", 1, 16),
            ("weight_bits", 2, 8),
            ("state_bits", 2, 16),
        ):
            check_field(self, name, integer, low, high)
        top = signed_range(self.state_bits)[1]
        check_field(self, "state_shift", integer, 0, top)
        check_field(self, "state_max", integer, 0, top - self.state_shift)
        for name in ("candidate_min", "candidate_max"):
            check_field(self, name, integer, -self.state_shift, self.state_max)
        if self.candidate_min > self.candidate_max:
            raise _validation.value_error(
                "candidate_min",
                "not be above `candidate_max`",
                f"candidate_min={self.candidate_min}, candidate_max={self.candidate_max}",
            )
        check_field(self, "state_scale", _validation.positive)
        for name in ("go_backwards", "return_sequences"):
            check_field(self, name, _validation.flag)
        check_field(self, "name", _validation.text)

        weight = weight_max(self.weight_bits)
        check_field(self, "kernel", array, np.int8, (None, None), -weight, weight)
        columns = self.kernel.shape[1]
        if columns % 2:
            raise _validation.shape_error("kernel", "(D, 2 * H)", self.kernel.shape)
        shape = (columns // 2, columns)
        check_field(self, "recurrent_kernel", array, np.int8, shape, -weight, weight)
        longest_shift = 31 if self.multiplier is None else 62
        for name, dtype, low, high in (
            ("bias", np.int32, -INT32_MAX, INT32_MAX),
            ("kernel_shift", np.uint8, 0, 31),
            ("recurrent_shift", np.uint8, 0, 31),
            ("shift", np.uint8, 0, longest_shift),
            ("multiplier", np.int32, 1, INT32_MAX),
        ):
            if name != "multiplier" or self.multiplier is not None:
                check_field(self, name, array, dtype, (columns,), low, high)
        _check_sums(self, self.accumulator_magnitude(), "inputs, weights or state")

    __reduce__ = _reduce_to_constructor

    def __repr__(self) -> str:
        return _summary(self, f"state of {self.state_bits} bits")

    @property
    def features(self) -> int:
        """The number `D` of inputs."""
        return int(self.kernel.shape[0])

    @property
    def units(self) -> int:
        """The number `H` of units."""
        return int(self.recurrent_kernel.shape[0])

    @property
    def update_max(self) -> int:
        """Where the update gate saturates, up and down: no larger one has another effect."""
        return self.state_max + self.state_shift

    def accumulator_range(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The least and the greatest value of each accumulator, for all inputs and states.

        Returns:
            Two int64 arrays `[2 * H]`.
        """
        inputs = signed_range(self.input_bits)
        state = -self.state_shift, self.state_max
        low, high = (self.bias.astype(np.int64),) * 2
        for weights, (least, greatest), shift in (
            (self.kernel, inputs, self.kernel_shift),
            (self.recurrent_kernel, state, self.recurrent_shift),
        ):
            weights = weights.astype(np.int64)
            ends = weights * least, weights * greatest
            low = low + (np.minimum(*ends).sum(0) << shift)
            high = high + (np.maximum(*ends).sum(0) << shift)
        return low, high

    def accumulator_magnitude(self) -> npt.NDArray[np.float64]:
        """The bound of all partial sums, in any order, rounding included: float64 `[2 * H]`."""
        inputs = -signed_range(self.input_bits)[0]
        state = max(self.state_shift, self.state_max)
        products = [
            (weights.astype(np.float64), greatest, np.ldexp(1.0, shift.astype(int)))
            for weights, greatest, shift in (
                (self.kernel, inputs, self.kernel_shift),
                (self.recurrent_kernel, state, self.recurrent_shift),
            )
        ]
        half = np.floor(np.ldexp(0.5, self.shift.astype(int))) if self.multiplier is None else 0.0
        bias = self.bias.astype(np.float64)
        return np.asarray(_overflow.accumulator_magnitude(bias, products, half))


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class IntegerDense:
    """A dense layer at the end of an integer model; its outputs are the accumulators.

    Args:
        kernel: int8 `[F, C]`.
        bias: int32 `[C]`.
        input_bits: Integer from 1 to 16, of the signed inputs.
        weight_bits: Integer from 2 to 8; the range of the weights is symmetric.
        scale: The real number that 1 stands for in the output. It is the same for all columns, so
            that they can be compared.
        name: Name of the layer.

    Raises:
        TypeError: An argument is of the wrong type, an array not of integers.
        ValueError: A shape or a value is not allowed, or a sum could leave 32 bits.
    """

    kernel: npt.NDArray[np.integer]
    bias: npt.NDArray[np.integer]
    input_bits: int
    weight_bits: int
    scale: float
    name: str = "dense"

    def __post_init__(self) -> None:
        check_field(self, "input_bits", _validation.integer, 1, 16)
        check_field(self, "weight_bits", _validation.integer, 2, 8)
        check_field(self, "scale", _validation.positive)
        check_field(self, "name", _validation.text)
        weight = weight_max(self.weight_bits)
        check_field(self, "kernel", array, np.int8, (None, None), -weight, weight)
        check_field(self, "bias", array, np.int32, self.kernel.shape[1:], -INT32_MAX, INT32_MAX)
        products = [(self.kernel.astype(np.float64), -signed_range(self.input_bits)[0], 1)]
        magnitude = _overflow.accumulator_magnitude(self.bias.astype(np.float64), products)
        _check_sums(self, magnitude, "inputs or weights")

    __reduce__ = _reduce_to_constructor

    def __repr__(self) -> str:
        return _summary(self, "sums of 32 bits")

    @property
    def features(self) -> int:
        """The number `F` of inputs."""
        return int(self.kernel.shape[0])

    @property
    def units(self) -> int:
        """The number `C` of outputs."""
        return int(self.kernel.shape[1])


def _check_sums(
    layer: IntegerAddGRU | IntegerDense, magnitude: npt.NDArray[np.float64], fewer: str
) -> None:
    if magnitude.max() > INT32_MAX:
        raise ValueError(
            f"In layer '{layer.name}' the sum of column {magnitude.argmax()} could reach "
            f"{magnitude.max():.0f}, more than 32 bits hold. Use fewer bits for {fewer}."
        )


def _summary(layer: IntegerAddGRU | IntegerDense, outputs: str) -> str:
    """A line about a layer; its weights would take pages."""
    arrays = (getattr(layer, field.name) for field in dataclasses.fields(layer))
    size = sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
    return (
        f"{type(layer).__name__}('{layer.name}': {layer.features} to {layer.units}, weights of "
        f"{layer.weight_bits} bits, {outputs}, {size / 1000:.1f} kB)"
    )
