"""An integer model as additions and table look-ups on encrypted numbers (docs/integer.md).

Additions and products with weights in the clear cost next to nothing; each look-up is a
programmable bootstrap (PBS), and the dearer the more bits it reads. What is done to a number before
or after it is looked up is free: rounding shifts, offsets and saturation are in the tables.
"""

import numpy as np

from addrnn import reference
from addrnn.fhe._library import concrete
from addrnn.fhe._ranges import Ranged
from addrnn.layers import IntegerAddGRU, IntegerDense

UPDATE, CANDIDATE = "update gate", "candidate"


def run(model, inputs, input_range, form):
    """Traces an `IntegerModel` on encrypted inputs.

    Args:
        model: The model.
        inputs: Tracer of integers `[T, D]`.
        input_range: The least and the greatest integer, each a number or an array `[D]`.
        form: One of `FORMS`.

    Returns:
        Tuple of tracers: what `IntegerModel.run` gives for one sequence, for each step if the last
        recurrent layer returns sequences.
    """
    value = Ranged(inputs, *input_range)
    steps = [value[t] for t in range(inputs.shape[0])]
    for index, layer in enumerate(model.layers):
        if isinstance(layer, IntegerDense):
            steps = [step @ layer.kernel.astype(np.int64) + layer.bias for step in steps]
        else:
            steps = _Recurrent(layer, index, form).run(steps)
    return tuple(step.tracer for step in steps)


def forms(model):
    """The forms in which the circuit of this model can be written, without those alike."""
    layers = [layer for layer in model.layers if isinstance(layer, IntegerAddGRU)]
    return tuple(form for form, differs in FORMS.items() if any(differs(layer) for layer in layers))


class _Recurrent:
    """An `IntegerAddGRU`, step by step."""

    def __init__(self, layer, index, form):
        self.layer, self.index, self.form = layer, index, form

    def run(self, steps):
        layer, state, outputs = self.layer, None, []
        for t, inputs in enumerate(reversed(steps) if layer.go_backwards else steps):
            with concrete().tag(f"{self.index}.{t}"):
                state = self._step(inputs, state)
            outputs.append(state)
        return outputs if layer.return_sequences else outputs[-1:]

    def _step(self, inputs, state):
        """The next state; `state` is None for zeros."""
        layer, s = self.layer, self.layer.state_shift
        factor = state
        if self.form == "split" and state is not None and layer.recurrent_kernel.any():
            with concrete().tag("split"):
                factor = state.refreshed(lambda value: value, self._what("state"))
        negative, positive = self._update(inputs, factor)
        candidate = self._candidate(inputs, factor)
        written = self._table(candidate - positive + s, _relu, "written candidate")
        if negative is None:  # the update gate is never below zero
            total = written if state is None else state + written
        elif state is None:
            total = written - s
            if s:
                total += self._table(negative, lambda value: _relu(s - value), "kept state")
        else:
            total = self._table(state - negative + s, _relu, "kept state") + written - s
        return self._table(total, lambda value: np.minimum(value, layer.state_max), "saturation")

    def _update(self, inputs, state):
        """The parts of the update gate: `max(-u, 0)`, None if that is always 0, and `max(u, 0)`."""
        layer, bound = self.layer, self.layer.update_max
        accumulator = Accumulator(layer, UPDATE, inputs, state)
        if self.form == "wide" and not accumulator.exact_within(-bound, bound):
            parts = (
                self._table(
                    accumulator.value,
                    lambda value, sign=sign: np.clip(sign * accumulator.scaled(value), 0, bound),
                    UPDATE,
                )
                for sign in (-1, 1)
            )
            return tuple(parts)
        update = accumulator.exact()
        if not accumulator.exact_within(-bound, bound):
            update = self._table(
                accumulator.value,
                lambda value: np.clip(accumulator.scaled(value), -bound, bound),
                UPDATE,
            )
        positive = self._table(update, _relu, f"{UPDATE}'s ReLU")
        # -min(u, 0) takes no look-up of its own: it is max(u, 0) - u.
        if (update.low >= 0).all():
            return None, positive
        negative = (positive - update).within(_relu(-update.high), _relu(-update.low))
        return negative, positive

    def _candidate(self, inputs, state):
        layer = self.layer
        low, high = layer.candidate_min, layer.candidate_max
        accumulator = Accumulator(layer, CANDIDATE, inputs, state)
        # Where the candidate is cut at -s and nowhere else, the gate cuts it once more anyway.
        if self.form != "clipped" and low == -layer.state_shift:
            low = None
        if accumulator.exact_within(low, high):
            return accumulator.exact()
        low = layer.candidate_min
        return self._table(
            accumulator.value,
            lambda value: np.clip(accumulator.scaled(value), low, high),
            CANDIDATE,
        )

    def _table(self, value, function, what):
        with concrete().tag(what.split()[0]):
            return value.table(function, self._what(what))

    def _what(self, part):
        return f"Layer '{self.layer.name}': the {part}"


class Accumulator:
    """The sums of one half of the columns, and how they become numbers of the state's scale."""

    def __init__(self, layer, half, inputs, state):
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
        # A common factor of a column's weights is left to the table: its sums need fewer bits.
        self.factor = np.maximum(np.gcd.reduce(np.concatenate(self.weights)), 1)
        self._value = None

    @property
    def value(self):
        """The sums, without the bias and over `factor`, for a table that applies `scaled`."""
        if self._value is None:
            self._value = self._sum([matrix // self.factor for matrix in self.weights])
        return self._value

    def scaled(self, value):
        """What the sums become at the state's scale: no encryption here, NumPy in a table."""
        return reference.round_shift(
            (value * self.factor + self.bias) * self.multiplier, self.shift
        )

    def exact_within(self, low, high):
        """Whether the sums are at the state's scale as they are, and never out of these bounds."""
        if self.shift.any() or np.any(self.multiplier != 1):
            return False
        ends = self.scaled(self.value.low), self.scaled(self.value.high)
        return bool((low is None or (ends[0] >= low).all()) and (ends[1] <= high).all())

    def exact(self):
        """The sums with their bias."""
        return self._sum(self.weights) + self.bias

    def _sum(self, weights):
        terms = [value @ matrix for value, matrix in zip(self.operands, weights, strict=True)]
        return terms[0] if len(terms) == 1 else terms[0] + terms[1]


def _relu(value):
    return np.maximum(value, 0)


# "shared": the update gate is brought to the state's scale, then cut at zero once for both
#   branches; the candidate's own cut is left out where the gate's makes it redundant: 3 PBS.
# "clipped": the same, but the candidate is cut: 4 PBS, of fewer bits.
# "wide": both parts of the update gate are looked up from the accumulator.
# "split": as "shared", but the products with the recurrent weights take a copy of the state that is
#   looked up anew. What is added up has the bits of the sum; without a copy, so has the gate.
# Beside each, whether it differs from "shared" for a layer.
FORMS = {
    "shared": lambda layer: True,
    "clipped": lambda layer: _at_scale(layer, slice(layer.units, None)),
    "wide": lambda layer: not _at_scale(layer, slice(layer.units)),
    "split": lambda layer: layer.recurrent_kernel.any(),
}


def _at_scale(layer, columns):
    return layer.multiplier is None and not layer.shift[columns].any()
