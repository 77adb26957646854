"""An integer model as additions and look-up tables on ciphertexts (docs/explanation/integer.md).

Additions, and products with weights in the clear, are nearly free. Each look-up is a programmable
bootstrap (PBS), whose cost grows with its bits. So rounding shifts, offsets and saturation go into
the tables, where they are free.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn.fhe._accumulator import CANDIDATE, UPDATE, Accumulator, relu
from addrnn.fhe._bounds import BoundedTracer, Elementwise
from addrnn.fhe._concrete import concrete
from addrnn.fhe._min_recurrence import MinRecurrence
from addrnn.layers import IntegerAddGRU, IntegerDense, IntegerMinAddGRU, RecurrentLayer
from addrnn.model import IntegerModel


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
        if isinstance(layer, IntegerDense):
            bias = layer.bias.astype(np.int64)
            steps = [step @ layer.kernel.astype(np.int64) + bias for step in steps]
        elif isinstance(layer, IntegerMinAddGRU):
            steps = MinRecurrence(layer, index, formulation).run(steps)
        else:
            steps = _Recurrence(layer, index, formulation).run(steps)
    return tuple(step.tracer for step in steps)


def trace_step(
    model: IntegerModel,
    inputs: Any,
    state: Any,
    input_bounds: tuple[npt.ArrayLike, npt.ArrayLike],
    formulation: str,
) -> tuple[Any, Any]:
    """Traces one step of a model with one recurrent layer, on encrypted inputs `[D]`.

    Returns:
        The tracers of the outputs and of the next state. The state is bootstrapped: otherwise its
        noise would grow from step to step. A dense layer reads a copy, as its sums are wide.
    """
    layer, *dense = model.layers
    assert not isinstance(layer, IntegerDense)
    step = BoundedTracer(inputs, *input_bounds)
    before = BoundedTracer(state, *state_range(layer))
    if isinstance(layer, IntegerMinAddGRU):
        after = MinRecurrence(layer, 0, formulation).step([step], before)
    else:
        after = _Recurrence(layer, 0, formulation).step(step, before)
    with concrete().tag("0.0.refresh"):
        after = after.bootstrap(lambda value: value, f"Layer '{layer.name}': the state")
        outputs = after.bootstrap(lambda value: value, "outputs") if dense else after
    for last in dense:
        outputs = outputs @ last.kernel.astype(np.int64) + last.bias.astype(np.int64)
    return outputs.tracer, after.tracer


def state_range(layer: RecurrentLayer) -> tuple[int, int]:
    """The least and the greatest state."""
    return -getattr(layer, "state_shift", 0), layer.state_max


def formulations(model: IntegerModel) -> tuple[str, ...]:
    """The formulations that give different circuits for this model."""
    layers = [layer for layer in model.layers if not isinstance(layer, IntegerDense)]
    return tuple(name for name, differs in FORMULATIONS.items() if any(map(differs, layers)))


class _Recurrence:
    """An `IntegerAddGRU`, step by step."""

    def __init__(self, layer: IntegerAddGRU, index: int, formulation: str):
        self.layer, self.index, self.formulation = layer, index, formulation

    def run(self, steps: list[BoundedTracer]) -> list[BoundedTracer]:
        layer, state, outputs = self.layer, None, []
        for t, inputs in enumerate(reversed(steps) if layer.go_backwards else steps):
            with concrete().tag(f"{self.index}.{t}"):
                state = self.step(inputs, state)
            outputs.append(state)
        return outputs if layer.return_sequences else outputs[-1:]

    def step(self, inputs: BoundedTracer, state: BoundedTracer | None) -> BoundedTracer:
        """The next state; `state` is None for zeros."""
        layer, s = self.layer, self.layer.state_shift
        recurrent = state
        if (
            self.formulation in ("refreshed_state", "truncated_sums")
            and state is not None
            and layer.recurrent_kernel.any()
        ):
            with concrete().tag("refresh"):
                recurrent = state.bootstrap(lambda value: value, self._name("state"))
        negative, positive = self._update_parts(inputs, recurrent)
        candidate = self._candidate(inputs, recurrent)
        written = self._lookup(candidate - positive + s, relu, "written candidate")
        if negative is None:  # the update gate is never below zero
            total = written if state is None else state + written
        elif state is None:
            total = written - s
            if s:
                total += self._lookup(negative, lambda value: relu(s - value), "kept state")
        else:
            total = self._lookup(state - negative + s, relu, "kept state") + written - s
        return self._lookup(total, lambda value: np.minimum(value, layer.state_max), "saturation")

    def _update_parts(
        self, inputs: BoundedTracer, state: BoundedTracer | None
    ) -> tuple[BoundedTracer | None, BoundedTracer]:
        """`max(-u, 0)`, None if that is always 0, and `max(u, 0)`, of the update gate `u`."""
        layer, bound = self.layer, self.layer.update_max
        accumulator = Accumulator.of_add_gru(layer, UPDATE, inputs, state)
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
        positive = self._lookup(update, relu, f"{UPDATE}'s ReLU")
        # max(-u, 0) is max(u, 0) - u, which takes no look-up of its own.
        if (update.low >= 0).all():
            return None, positive
        negative = (positive - update).within(relu(-update.high), relu(-update.low))
        return negative, positive

    def _candidate(self, inputs: BoundedTracer, state: BoundedTracer | None) -> BoundedTracer:
        layer = self.layer
        low, high = layer.candidate_min, layer.candidate_max
        accumulator = Accumulator.of_add_gru(layer, CANDIDATE, inputs, state)
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
        truncate = self.formulation == "truncated_sums"
        with concrete().tag(part.split()[0]):
            return value.lookup(function, self._name(part), truncate=truncate)

    def _name(self, part: str) -> str:
        return f"Layer '{self.layer.name}': the {part}"


def _is_rescaled(layer: RecurrentLayer, columns: slice) -> bool:
    return layer.multiplier is not None or bool(layer.shift[columns].any())


def _is_wide(layer: IntegerMinAddGRU) -> bool:
    """Whether an update gate at the state's scale can go beyond where it saturates."""
    low, high = (ends[: layer.units] for ends in layer.accumulator_range())
    return bool((low < -layer.update_max).any() or (high > layer.update_max).any())


def _is_shifted(layer: RecurrentLayer) -> bool:
    """Whether low bits of the sums of all update gates, or of all candidates, are rounded away."""
    halves = layer.shift[: layer.units], layer.shift[layer.units :]
    return layer.multiplier is None and any(bool(half.all()) for half in halves)


# Each formulation, and whether it differs from "shared_relu" for a layer.
#
# "shared_relu": a table rescales the update gate, then one ReLU serves both branches. The
#   candidate is not clipped where the gate does it anyway. 3 PBS.
# "clipped_candidate": the same, but the candidate is clipped. 4 PBS, of fewer bits.
# "accumulator_lookup": tables read both parts of the update gate from the accumulator.
# "refreshed_state": as "shared_relu", but sums read a bootstrapped copy of the state. Operands of a
#   sum take its bits: without the copy, so does the gate.
# "truncated_sums": as "refreshed_state", but bits that a rounding shift drops are cut off before
#   the table.
#
# An IntegerMinAddGRU has no recurrent weights: the copies are of the states that it returns, in all
# but "shared_relu". "accumulator_lookup" there clips an update gate that is at the state's scale.
FORMULATIONS: dict[str, Callable[[RecurrentLayer], bool]] = {
    "shared_relu": lambda layer: True,
    "clipped_candidate": lambda layer: (
        isinstance(layer, IntegerAddGRU) and not _is_rescaled(layer, slice(layer.units, None))
    ),
    "accumulator_lookup": lambda layer: (
        _is_rescaled(layer, slice(layer.units))
        if isinstance(layer, IntegerAddGRU)
        else not _is_rescaled(layer, slice(layer.units)) and _is_wide(layer)
    ),
    "refreshed_state": lambda layer: (
        isinstance(layer, IntegerMinAddGRU) or bool(layer.recurrent_kernel.any())
    ),
    "truncated_sums": _is_shifted,
}
