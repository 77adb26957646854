"""MinAddGRU on encrypted numbers: a maximum, then a fading, and no saturation.

With `a = max(-u, 0)`, and `h` and `c` of at least 0, the state
(docs/explanation/parallel-in-time.md) is

    max(h - a, c - max(u, 0), 0) = max(h, c - u) - a = h + max(c - u - h, 0) - a

So behind the sums a step takes one look-up for `a` and one for the maximum.
"""

import numpy as np

from addrnn.fhe._accumulator import CANDIDATE, UPDATE, Accumulator, relu
from addrnn.fhe._bounds import BoundedTracer, Elementwise
from addrnn.fhe._concrete import concrete
from addrnn.layers import IntegerMinAddGRU


class MinRecurrence:
    """An `IntegerMinAddGRU`, step by step."""

    def __init__(self, layer: IntegerMinAddGRU, index: int, formulation: str):
        self.layer, self.index, self.formulation = layer, index, formulation

    def run(self, steps: list[BoundedTracer]) -> list[BoundedTracer]:
        """The outputs, of all steps if the layer returns sequences."""
        layer, state, outputs = self.layer, None, []
        order = steps[::-1] if layer.go_backwards else steps
        for t in range(len(order)):
            window = order[max(t + 1 - layer.kernel_size, 0) : t + 1]
            with concrete().tag(f"{self.index}.{t}"):
                state = self.step(window, state)
                if layer.return_sequences or t == len(order) - 1:
                    outputs.append(self._output(state))
        return outputs

    def _output(self, state: BoundedTracer) -> BoundedTracer:
        """The state for what follows, whose sums would set the bits of the gate as well."""
        if self.formulation == "shared_relu":
            return state
        with concrete().tag("refresh"):
            return state.bootstrap(lambda value: value, self._name("state"))

    def step(self, window: list[BoundedTracer], state: BoundedTracer | None) -> BoundedTracer:
        """The next state; `state` is None for zeros."""
        update, candidate = (
            Accumulator.of_min_add_gru(self.layer, half, window) for half in (UPDATE, CANDIDATE)
        )
        top, bound = self.layer.candidate_max, self.layer.update_max
        if state is None:  # zeros fade no further
            exact = candidate.is_exact_within(None, top)
            c = candidate.exact() if exact else self._at_scale(candidate, 0, top, CANDIDATE)
            raises = self._at_scale(update, 0, bound, UPDATE)
            return self._lookup(c - raises, relu, "written candidate")
        c = self._at_scale(candidate, 0, top, CANDIDATE)
        if update.is_rescaled or self.formulation == "accumulator_lookup":
            u = self._at_scale(update, -bound, bound, UPDATE)
        else:  # out of bounds it has no other effect, but makes the sums behind it wider
            u = update.exact()
        more = self._lookup(c - u - state, relu, "maximum")
        low, high = np.minimum(state.low, c.low), np.maximum(state.high, c.high)
        if (u.low >= 0).all():
            return (state + more).within(low, high)
        if (u.high <= 0).all():
            return (state + more + u).within(0, high)
        fades = self._lookup(u, lambda value: relu(-value), f"{UPDATE}'s ReLU")
        return (state + more - fades).within(0, high)

    def _at_scale(self, sums: Accumulator, low: int, high: int, part: str) -> BoundedTracer:
        """The sums at the scale of the state, clipped."""
        if sums.is_exact_within(low, high):
            return sums.exact()
        return self._lookup(sums.value, lambda value: np.clip(sums.rescale(value), low, high), part)

    def _lookup(self, value: BoundedTracer, function: Elementwise, part: str) -> BoundedTracer:
        truncate = self.formulation == "truncated_sums"
        with concrete().tag(part.split()[0]):
            return value.lookup(function, self._name(part), truncate=truncate)

    def _name(self, part: str) -> str:
        return f"Layer '{self.layer.name}': the {part}"
