"""MinAddGRU on encrypted numbers: three look-ups for each unit and step, and no saturation."""

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
                state = self._step(window, state)
            outputs.append(state)
        return outputs if layer.return_sequences else outputs[-1:]

    def _step(self, window: list[BoundedTracer], state: BoundedTracer | None) -> BoundedTracer:
        """The next state; `state` is None for zeros."""
        fades, raises = self._update_parts(window)
        candidate = Accumulator.of_min_add_gru(self.layer, CANDIDATE, window)
        top = self.layer.candidate_max
        if candidate.is_exact_within(None, top):
            values = candidate.exact()
        else:
            values = self._lookup(
                candidate.value,
                lambda value: np.clip(candidate.rescale(value), 0, top),
                CANDIDATE,
            )
        writes = self._lookup(values - raises, relu, "written candidate")
        if state is None:  # zeros fade no further
            return writes
        faded = state if fades is None else state - fades
        # The larger of two is one of them, and what the other has more.
        more = self._lookup(faded - writes, relu, "kept state")
        low = np.maximum(faded.low, writes.low)
        return (writes + more).within(low, np.maximum(faded.high, writes.high))

    def _update_parts(
        self, window: list[BoundedTracer]
    ) -> tuple[BoundedTracer | None, BoundedTracer]:
        """`max(-u, 0)`, None if that is always 0, and `max(u, 0)`, of the update gate `u`."""
        bound = self.layer.update_max
        accumulator = Accumulator.of_min_add_gru(self.layer, UPDATE, window)
        fits = accumulator.is_exact_within(-bound, bound)
        if self.formulation == "accumulator_lookup" and not fits:

            def part(sign: int) -> BoundedTracer:
                return self._lookup(
                    accumulator.value,
                    lambda value: np.clip(sign * accumulator.rescale(value), 0, bound),
                    UPDATE,
                )

            return part(-1), part(1)
        if accumulator.is_rescaled:
            update = self._lookup(
                accumulator.value,
                lambda value: np.clip(accumulator.rescale(value), -bound, bound),
                UPDATE,
            )
        else:  # out of bounds it has no other effect, but makes the sums behind it wider
            update = accumulator.exact()
        if (update.low >= 0).all():
            return None, update
        negative = self._lookup(update, lambda value: relu(-value), f"{UPDATE}'s ReLU")
        # max(u, 0) is u + max(-u, 0), which takes no look-up of its own.
        positive = (negative + update).within(relu(update.low), relu(update.high))
        return negative, positive

    def _lookup(self, value: BoundedTracer, function: Elementwise, part: str) -> BoundedTracer:
        with concrete().tag(part.split()[0]):
            return value.lookup(function, f"Layer '{self.layer.name}': the {part}")
