"""`IntegerMinAddGRU`, whose update gate and candidate read the last inputs alone."""

import dataclasses

import numpy as np
import numpy.typing as npt

from addrnn import _overflow, _validation
from addrnn._integers import signed_range, weight_max
from addrnn._validation import check_field
from addrnn.layers import _common


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class IntegerMinAddGRU:
    """A layer whose state is a maximum that fades, in integers (docs/explanation/integer.md).

    All arrays are copied, and read-only afterwards. `w` inputs are read at a time, `D` are the
    features of each, `H` the units; each row of `2 * H` numbers belongs to the update gate first
    and then to the candidate.

    Args:
        kernel: int8 `[w, D, 2 * H]`, the oldest input first.
        bias: int32 `[2 * H]`, at the scale of the accumulator.
        multiplier: int32 `[2 * H]`, by which the accumulator is multiplied before it is shifted
            right; None where that is not needed.
        shift: uint8 `[2 * H]`, by how many bits the accumulator is shifted right, with rounding.
        state_max: Upper bound of the state, which fits into `state_bits`; the lower one is 0.
        candidate_max: Upper bound of the candidate, which stands for its activation. A lower one
            would have no effect: a candidate below 0 writes nothing.
        input_bits: Integer from 1 to 16, of the signed inputs.
        input_zero_point: The integer that stands for 0 in the inputs. The layer reads it before the
            first step, and at masked steps.
        weight_bits: Integer from 2 to 8, of the kernel; its range is symmetric.
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
    bias: npt.NDArray[np.integer]
    multiplier: npt.NDArray[np.integer] | None = None
    shift: npt.NDArray[np.integer]
    state_max: int
    candidate_max: int
    input_bits: int
    input_zero_point: int = 0
    weight_bits: int
    state_bits: int
    state_scale: float
    go_backwards: bool = False
    return_sequences: bool = False
    name: str = "min_add_gru"

    def __post_init__(self) -> None:
        integer = _validation.integer
        _common.check_bits(self)
        check_field(self, "input_zero_point", integer, *signed_range(self.input_bits))
        check_field(self, "state_max", integer, 0, signed_range(self.state_bits)[1])
        check_field(self, "candidate_max", integer, 0, self.state_max)
        _common.check_recurrent_fields(self)

        weight = weight_max(self.weight_bits)
        given = np.shape(self.kernel)
        if len(given) != 3 or 0 in given or given[2] % 2:
            raise _validation.shape_error("kernel", "(w, D, 2 * H), with none of them 0", given)
        check_field(self, "kernel", _validation.integer_array, np.int8, given, -weight, weight)
        _common.check_columns(self, given[2])
        _common.check_sums(self, self.accumulator_magnitude(), "inputs or weights")

    __reduce__ = _common.reduce_to_constructor

    def __repr__(self) -> str:
        return _common.summary(self, f"{self.kernel_size} inputs, state of {self.state_bits} bits")

    @property
    def kernel_size(self) -> int:
        """The number `w` of inputs that are read at a time."""
        return int(self.kernel.shape[0])

    @property
    def features(self) -> int:
        """The number `D` of features of an input."""
        return int(self.kernel.shape[1])

    @property
    def units(self) -> int:
        """The number `H` of units."""
        return int(self.kernel.shape[2]) // 2

    @property
    def update_max(self) -> int:
        """Where the update gate saturates, up and down: no larger one has another effect."""
        return self.state_max

    def accumulator_range(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The least and the greatest value of each accumulator, for all inputs.

        Returns:
            Two int64 arrays `[2 * H]`.
        """
        least, greatest = signed_range(self.input_bits)
        weights, bias = self.kernel.astype(np.int64), self.bias.astype(np.int64)
        ends = weights * least, weights * greatest
        low, high = np.minimum(*ends).sum((0, 1)), np.maximum(*ends).sum((0, 1))
        return bias + low, bias + high

    def accumulator_magnitude(self) -> npt.NDArray[np.float64]:
        """The bound of all partial sums, in any order, rounding included: float64 `[2 * H]`."""
        weights = self.kernel.reshape(-1, 2 * self.units).astype(np.float64)
        products = [(weights, -signed_range(self.input_bits)[0], 1)]
        bias = self.bias.astype(np.float64)
        return np.asarray(_overflow.accumulator_magnitude(bias, products, _common.half(self)))
