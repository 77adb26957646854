"""An integer model as additions and look-up tables on encrypted numbers (docs/integer.md).

Additions, and products with weights in the clear, are nearly free. Each look-up is a programmable
bootstrap (PBS), whose cost grows with its bits. So rounding shifts, offsets and saturation go into
the tables, where they are free.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn import reference
from addrnn.fhe._bounds import BoundedTracer, Elementwise, IntArray
from addrnn.fhe._concrete import concrete
from addrnn.layers import IntegerAddGRU, IntegerDense, IntegerMinAddGRU
from addrnn.model import IntegerModel

UPDATE, CANDIDATE = "update gate", "candidate"


def trace(
    model: IntegerModel,
    inputs: Any,
    input_bounds: tuple[npt.ArrayLike, npt.ArrayLike],
    formulation: str,
) -> tuple[Any, ...]:
    """Traces an `IntegerModel` on encrypted inputs: a tracer of integers `[T, D]`.

    Returns:
        Tuple of tracers: the outputs of `IntegerModel.run` for one sequence, one for each step if
        the last recurrent layer returns sequences.
    """
    sequence = BoundedTracer(inputs, *input_bounds)
    steps = [sequence[t] for t in range(inputs.shape[0])]
    for index, layer in enumerate(model.layers):
        if isinstance(layer, IntegerMinAddGRU):
            raise ValueError(
                f"Layer '{layer.name}' is an IntegerMinAddGRU, for which there is no circuit."
            )
        if isinstance(layer, IntegerDense):
            bias = layer.bias.astype(np.int64)
            steps = [step @ layer.kernel.astype(np.int64) + bias for step in steps]
        else:
            steps = _Recurrence(layer, index, formulation).run(steps)
    return tuple(step.tracer for step in steps)


def formulations(model: IntegerModel) -> tuple[str, ...]:
    """The formulations that give different circuits for this model."""
    layers = [layer for layer in model.layers if isinstance(layer, IntegerAddGRU)]
    return tuple(name for name, differs in FORMULATIONS.items() if any(map(differs, layers)))


class _Recurrence:
    """An `IntegerAddGRU`, step by step."""

    def __init__(self, layer: IntegerAddGRU, index: int, formulation: str):
        self.layer, self.index, self.formulation = layer, index, formulation

    def run(self, steps: list[BoundedTracer]) -> list[BoundedTracer]:
        layer, state, outputs = self.layer, None, []
        for t, inputs in enumerate(reversed(steps) if layer.go_backwards else steps):
            with concrete().tag(f"{self.index}.{t}"):
                state = self._step(inputs, state)
            outputs.append(state)
        return outputs if layer.return_sequences else outputs[-1:]

    def _step(self, inputs: BoundedTracer, state: BoundedTracer | None) -> BoundedTracer:
        """The next state; `state` is None for zeros."""
        layer, s = self.layer, self.layer.state_shift
        recurrent = state
        if (
            self.formulation == "refreshed_state"
            and state is not None
            and layer.recurrent_kernel.any()
        ):
            with concrete().tag("refresh"):
                recurrent = state.bootstrap(lambda value: value, self._name("state"))
        negative, positive = self._update_parts(inputs, recurrent)
        candidate = self._candidate(inputs, recurrent)
        written = self._lookup(candidate - positive + s, _relu, "written candidate")
        if negative is None:  # the update gate is never below zero
            total = written if state is None else state + written
        elif state is None:
            total = written - s
            if s:
                total += self._lookup(negative, lambda value: _relu(s - value), "kept state")
        else:
            total = self._lookup(state - negative + s, _relu, "kept state") + written - s
        return self._lookup(total, lambda value: np.minimum(value, layer.state_max), "saturation")

    def _update_parts(
        self, inputs: BoundedTracer, state: BoundedTracer | None
    ) -> tuple[BoundedTracer | None, BoundedTracer]:
        """`max(-u, 0)`, None if that is always 0, and `max(u, 0)`, of the update gate `u`."""
        layer, bound = self.layer, self.layer.update_max
        accumulator = Accumulator(layer, UPDATE, inputs, state)
        exact = accumulator.is_exact_within(-bound, bound)
        if self.formulation == "accumulator_lookup" and not exact:

            def part(sign: int) -> BoundedTracer:
                return self._lookup(
                    accumulator.value,
                    lambda value: np.clip(sign * accumulator.rescale(value), 0, bound),
                    UPDATE,
                )

            return part(-1), part(1)
        update = accumulator.exact()
        if not exact:
            update = self._lookup(
                accumulator.value,
                lambda value: np.clip(accumulator.rescale(value), -bound, bound),
                UPDATE,
            )
        positive = self._lookup(update, _relu, f"{UPDATE}'s ReLU")
        # max(-u, 0) is max(u, 0) - u, which takes no look-up of its own.
        if (update.low >= 0).all():
            return None, positive
        negative = (positive - update).within(_relu(-update.high), _relu(-update.low))
        return negative, positive

    def _candidate(self, inputs: BoundedTracer, state: BoundedTracer | None) -> BoundedTracer:
        layer = self.layer
        low, high = layer.candidate_min, layer.candidate_max
        accumulator = Accumulator(layer, CANDIDATE, inputs, state)
        # The gate clips the candidate at -s anyway, so a clipping there alone is redundant.
        redundant = self.formulation != "clipped_candidate" and low == -layer.state_shift
        if accumulator.is_exact_within(None if redundant else low, high):
            return accumulator.exact()
        return self._lookup(
            accumulator.value,
            lambda value: np.clip(accumulator.rescale(value), low, high),
            CANDIDATE,
        )

    def _lookup(self, value: BoundedTracer, function: Elementwise, part: str) -> BoundedTracer:
        with concrete().tag(part.split()[0]):
            return value.lookup(function, self._name(part))

    def _name(self, part: str) -> str:
        return f"Layer '{self.layer.name}': the {part}"


class Accumulator:
    """The sums of one half of the columns, and how they come to the scale of the state."""

    def __init__(
        self, layer: IntegerAddGRU, half: str, inputs: BoundedTracer, state: BoundedTracer | None
    ):
        units = layer.units
        columns = slice(0, units) if half == UPDATE else slice(units, 2 * units)
        weights = [(layer.kernel.astype(np.int64) << layer.kernel_shift)[:, columns]]
        recurrent = (layer.recurrent_kernel.astype(np.int64) << layer.recurrent_shift)[:, columns]
        self.operands = [inputs]
        if state is not None and recurrent.any():
            weights.append(recurrent)
            self.operands.append(state)
        self.weights = weights
        self.bias = layer.bias[columns].astype(np.int64)
        self.shift = layer.shift[columns]
        self.multiplier = 1 if layer.multiplier is None else layer.multiplier[columns]
        # The table applies a common factor of a column's weights: the sums need fewer bits.
        self.factor = np.maximum(np.gcd.reduce(np.concatenate(self.weights)), 1)
        self._value: BoundedTracer | None = None

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

    def is_exact_within(self, low: int | None, high: int) -> bool:
        """Whether the sums need no rescaling, and never leave these bounds."""
        if self.shift.any() or np.any(self.multiplier != 1):
            return False
        lowest, highest = self.rescale(self.value.low), self.rescale(self.value.high)
        return bool((low is None or (lowest >= low).all()) and (highest <= high).all())

    def exact(self) -> BoundedTracer:
        """The sums with their bias."""
        return self._sum(self.weights) + self.bias

    def _sum(self, weights: list[IntArray]) -> BoundedTracer:
        terms = [value @ matrix for value, matrix in zip(self.operands, weights, strict=True)]
        return terms[0] if len(terms) == 1 else terms[0] + terms[1]


def _relu(value: IntArray) -> IntArray:
    return np.maximum(value, 0).astype(np.int64)


def _is_rescaled(layer: IntegerAddGRU, columns: slice) -> bool:
    return layer.multiplier is not None or bool(layer.shift[columns].any())


# Each formulation, and whether it differs from "shared_relu" for a layer.
#
# "shared_relu": a table rescales the update gate, then one ReLU serves both branches. The
#   candidate is not clipped where the gate does it anyway. 3 PBS.
# "clipped_candidate": the same, but the candidate is clipped. 4 PBS, of fewer bits.
# "accumulator_lookup": tables read both parts of the update gate from the accumulator.
# "refreshed_state": as "shared_relu", but the recurrent weights multiply a bootstrapped copy of
#   the state. Operands of a sum take its bits: without the copy, so does the gate.
FORMULATIONS: dict[str, Callable[[IntegerAddGRU], bool]] = {
    "shared_relu": lambda layer: True,
    "clipped_candidate": lambda layer: not _is_rescaled(layer, slice(layer.units, None)),
    "accumulator_lookup": lambda layer: _is_rescaled(layer, slice(layer.units)),
    "refreshed_state": lambda layer: bool(layer.recurrent_kernel.any()),
}
