"""`IntegerAddGRU`, whose update gate and candidate read the inputs and the state."""

import dataclasses

import numpy as np
import numpy.typing as npt

from addrnn import _overflow, _validation
from addrnn._integers import signed_range, weight_max
from addrnn._validation import check_field
from addrnn._validation import integer_array as array
from addrnn.layers import _common


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class IntegerAddGRU:
    """An addition-gated recurrent layer in integers (docs/explanation/integer.md).

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
        _common.check_bits(self)
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
        _common.check_recurrent_fields(self)

        weight = weight_max(self.weight_bits)
        check_field(self, "kernel", array, np.int8, (None, None), -weight, weight)
        columns = self.kernel.shape[1]
        if columns % 2:
            raise _validation.shape_error("kernel", "(D, 2 * H)", self.kernel.shape)
        shape = (columns // 2, columns)
        check_field(self, "recurrent_kernel", array, np.int8, shape, -weight, weight)
        _common.check_columns(self, columns, ("kernel_shift", "recurrent_shift"))
        _common.check_sums(self, self.accumulator_magnitude(), "inputs, weights or state")

    __reduce__ = _common.reduce_to_constructor

    def __repr__(self) -> str:
        return _common.summary(self, f"state of {self.state_bits} bits")

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
        bias = self.bias.astype(np.float64)
        return np.asarray(_overflow.accumulator_magnitude(bias, products, _common.half(self)))
