"""The settings of the gate, as they go through layers, ops and frameworks.

Its arithmetic is in `cc_ops/core/kernels/gate.h`, `keras_addrnn/ops/_composed.py` and, in integers,
`addrnn/reference.py`.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from addrnn import _validation

# For which there are kernels, in the order of their codes in LiteRT files: cc_ops/lite/options.h.
ACTIVATIONS = ("linear", "relu", "hard_tanh", "tanh")
# For which there are kernels.
DTYPES = ("float16", "bfloat16", "float32", "float64")
_LEAST_NORMAL = 2.0**-126  # of float32


@dataclasses.dataclass(frozen=True)
class Gate:
    """The settings of the gate (arXiv 2308.05629, section 3.1).

    Args:
        activation: Activation of the candidate: one of `ACTIVATIONS`, for which there are kernels,
            or a callable, which is computed by a framework's own operations.
        state_shift: Finite number of at least 0. The state is shifted by it inside the gate, so
            that it can be as low as `-state_shift`. Rounded to float32.
        state_max: Finite number above `-state_shift`, the upper bound of the state, rounded to
            float32; None for no bound.

    Raises:
        TypeError: A setting is not a number.
        ValueError: A value is not allowed.
    """

    activation: str | Callable[[Any], Any] = "relu"
    state_shift: float = 0.0
    state_max: float | None = None

    def __post_init__(self) -> None:
        if not callable(self.activation):
            _validation.one_of("activation", self.activation, ACTIVATIONS)
        shift = _validation.float32("state_shift", self.state_shift)
        if not shift >= 0.0:
            raise _validation.value_error(
                "state_shift", "be at least 0", f"state_shift={self.state_shift!r}"
            )
        top = self.state_max
        if top is not None:
            top = _validation.float32(
                "state_max", self.state_max, "Pass None for a state without a bound."
            )
            if not _as_in_kernels(top) > -_as_in_kernels(shift):
                raise _validation.value_error(
                    "state_max",
                    "be above `-state_shift`, the lowest state there is",
                    f"state_max={self.state_max!r}, state_shift={self.state_shift!r}",
                )
        object.__setattr__(self, "state_shift", shift)
        object.__setattr__(self, "state_max", top)

    @property
    def upper_bound(self) -> float:
        """The upper bound of the state: `state_max`, or infinity."""
        return math.inf if self.state_max is None else self.state_max

    @property
    def has_kernel(self) -> bool:
        """Whether the compiled core has a kernel for the activation."""
        return not callable(self.activation)


def _as_in_kernels(number: float) -> float:
    """The number as kernels read it: they take a subnormal one for 0."""
    return number if abs(number) >= _LEAST_NORMAL else 0.0
