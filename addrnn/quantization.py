"""Numbers as integers: `real = scale * (integer - zero_point)`."""

import dataclasses
from typing import Self

import numpy as np
import numpy.typing as npt

from addrnn import _validation
from addrnn._integers import round_half_up, signed_range


@dataclasses.dataclass(frozen=True)
class Quantization:
    """How the inputs of an integer model stand for real numbers.

    Args:
        bits: Integer from 1 to 16: the integers are signed, of so many bits.
        scale: The real distance between neighboring integers, a finite positive number.
        zero_point: The integer that stands for 0.

    Raises:
        TypeError: `bits` or `zero_point` is not an integer, or `scale` not a number.
        ValueError: A value is not allowed.
    """

    bits: int
    scale: float
    zero_point: int = 0

    def __post_init__(self) -> None:
        _validation.check_field(self, "bits", _validation.integer, 1, 16)
        _validation.check_field(self, "scale", _validation.positive)
        _validation.check_field(self, "zero_point", _validation.integer, *self.range)

    @classmethod
    def of_range(cls, low: float, high: float, bits: int) -> Self:
        """The integers for real numbers from `low` to `high`, 0 included."""
        low, high = min(float(low), 0.0), max(float(high), 0.0)
        least, greatest = signed_range(bits)
        scale = (high - low) / (greatest - least)
        if scale == 0.0:  # nothing but zeros, or numbers too small for a scale
            return cls(bits, 1.0)
        zero_point = int(np.clip(round_half_up(least - low / scale), least, greatest))
        return cls(bits, scale, zero_point)

    @property
    def dtype(self) -> np.dtype[np.signedinteger]:
        """The smallest NumPy dtype that holds the integers."""
        return np.dtype(np.int8 if self.bits <= 8 else np.int16)

    @property
    def range(self) -> tuple[int, int]:
        """The least and the greatest integer."""
        return signed_range(self.bits)

    def quantize(self, real: npt.ArrayLike) -> npt.NDArray[np.signedinteger]:
        """Real numbers, of any shape, to the nearest integers in range; a half goes up.

        Raises:
            TypeError: The numbers are complex.
            ValueError: A number is not finite.
        """
        if np.iscomplexobj(real):
            raise _validation.type_error("real", "hold real numbers", "complex ones")
        real = np.asarray(real, np.float64)
        _validation.check_finite("real", real, "Leave such numbers out, or replace them.")
        with np.errstate(over="ignore", invalid="ignore"):  # infinity is clipped too
            integers = round_half_up(real / self.scale) + self.zero_point
        clipped: npt.NDArray[np.signedinteger] = np.clip(integers, *self.range).astype(self.dtype)
        return clipped

    def dequantize(self, integers: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Integers to the real numbers they stand for, float32."""
        shifted = np.asarray(integers, np.int64) - self.zero_point
        return (shifted * self.scale).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class StateQuantization:
    """How a layer's state, and with it the gate, stands for real numbers.

    Args:
        bits: Integer from 2 to 16.
        scale: The real number that 1 stands for.
        shift: The integer for the layer's `state_shift`.
        max: The integer at which the state saturates.
    """

    bits: int
    scale: float
    shift: int
    max: int

    @classmethod
    def of_range(
        cls, largest: float, bits: int, state_shift: float = 0.0, state_max: float | None = None
    ) -> Self:
        """The finest one for states from `-state_shift` to `largest`.

        Args:
            largest: Positive number, the greatest state.
            bits: Integer from 2 to 16.
            state_shift: The layer's.
            state_max: The layer's, at least 0, or None.
        """
        scale = (largest + state_shift) / signed_range(bits)[1]
        return cls.of_scale(scale, bits, state_shift, state_max)

    @classmethod
    def of_scale(
        cls, scale: float, bits: int, state_shift: float = 0.0, state_max: float | None = None
    ) -> Self:
        """The one of that scale with the largest range; arguments as of `of_range`."""
        top = signed_range(bits)[1]
        shift = min(int(round_half_up(state_shift / scale)), top)
        greatest = top - shift
        if state_max is not None:
            greatest = min(greatest, int(round_half_up(state_max / scale)))
        return cls(bits, scale, shift, greatest)

    @property
    def quantization(self) -> Quantization:
        """How the layer that follows reads the state."""
        return Quantization(self.bits, self.scale)
