"""Numbers as integers: `real = scale * (integer - zero_point)`."""

import dataclasses

import numpy as np

from addrnn import _validation


@dataclasses.dataclass(frozen=True)
class Quantization:
    """How the inputs of an integer model stand for real numbers.

    Args:
        bits: Integer from 1 to 16: the integers are signed, of so many bits.
        scale: The real distance between neighbouring integers, a finite positive number.
        zero_point: The integer that stands for 0.

    Raises:
        TypeError: `bits` or `zero_point` is not an integer, or `scale` not a number.
        ValueError: A value is not allowed.
    """

    bits: int
    scale: float
    zero_point: int = 0

    def __post_init__(self):
        bits = _validation.integer("bits", self.bits, 1, 16)
        object.__setattr__(self, "bits", bits)
        object.__setattr__(self, "scale", _validation.positive("scale", self.scale))
        zero_point = _validation.integer("zero_point", self.zero_point, *signed_range(bits))
        object.__setattr__(self, "zero_point", zero_point)

    @property
    def dtype(self):
        """The smallest NumPy dtype that holds the integers."""
        return np.dtype(np.int8 if self.bits <= 8 else np.int16)

    @property
    def range(self):
        """The least and the greatest integer."""
        return signed_range(self.bits)

    def quantize(self, real):
        """Real numbers, of any shape, to the nearest integers in range; a half goes up.

        Raises:
            TypeError: The numbers are complex.
            ValueError: A number is not finite.
        """
        if np.iscomplexobj(real):
            raise _validation.type_error("real", "hold real numbers", "complex ones")
        real = np.asarray(real, np.float64)
        if not np.isfinite(real).all():
            raise _validation.value_error("real", "hold finite numbers", "NaN or infinity")
        with np.errstate(over="ignore"):  # infinity is cut off too
            nearest = np.floor(real / self.scale + 0.5) + self.zero_point
        return np.clip(nearest, *self.range).astype(self.dtype)

    def dequantize(self, integers):
        """Integers to the real numbers they stand for, float32."""
        shifted = np.asarray(integers, np.int64) - self.zero_point
        return (shifted * self.scale).astype(np.float32)


def signed_range(bits):
    """The least and the greatest signed integer of so many bits."""
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def weight_max(bits):
    """The greatest magnitude of a weight: the range is symmetric, so 2 bits are -1, 0 and 1."""
    return max(2 ** (bits - 1) - 1, 1)
