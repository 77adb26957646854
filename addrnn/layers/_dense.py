"""`IntegerDense`, the last layer of an integer model."""

import dataclasses

import numpy as np
import numpy.typing as npt

from addrnn import _overflow, _validation
from addrnn._integers import signed_range, weight_max
from addrnn._validation import INT32_MAX, check_field
from addrnn._validation import integer_array as array
from addrnn.layers import _common


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
        _common.check_bits(self)
        check_field(self, "scale", _validation.positive)
        check_field(self, "name", _validation.text)
        weight = weight_max(self.weight_bits)
        check_field(self, "kernel", array, np.int8, (None, None), -weight, weight)
        check_field(self, "bias", array, np.int32, self.kernel.shape[1:], -INT32_MAX, INT32_MAX)
        products = [(self.kernel.astype(np.float64), -signed_range(self.input_bits)[0], 1)]
        magnitude = _overflow.accumulator_magnitude(self.bias.astype(np.float64), products)
        _common.check_sums(self, magnitude, "inputs or weights")

    __reduce__ = _common.reduce_to_constructor

    def __repr__(self) -> str:
        return _common.summary(self, "sums of 32 bits")

    @property
    def features(self) -> int:
        """The number `F` of inputs."""
        return int(self.kernel.shape[0])

    @property
    def units(self) -> int:
        """The number `C` of outputs."""
        return int(self.kernel.shape[1])
