"""Integer networks whose gate multiplies, as circuits on encrypted numbers, and in NumPy.

They are described by an `IntegerModel` like those whose gate adds: the same sums, then a gate of
encrypted_gates/circuits.py in place of the layer's.
"""

import dataclasses

import numpy as np

from addrnn.fhe._accumulator import CANDIDATE, UPDATE, Accumulator
from addrnn.model import IntegerModel
from benchmarks.encrypted_gates.circuits import GATES, expected


@dataclasses.dataclass(frozen=True)
class Network:
    """A recurrent layer and a dense one; its inputs are the integers of each step."""

    model: IntegerModel
    timesteps: int
    gate: str
    input_range: tuple

    def ranges(self):
        return [self.input_range] * self.timesteps

    def draw(self, rng):
        low, high = self.input_range
        return list(rng.integers(low, high + 1, (self.timesteps, self.model.features)))

    def run(self, *steps):
        layer, dense = self.model.layers
        gate, _ = GATES[self.gate]
        state = None
        for inputs in steps:
            u, z = (
                _Sums(Accumulator.of_add_gru(layer, half, inputs, state), layer.state_max)
                for half in (UPDATE, CANDIDATE)
            )
            state = gate(u, z, state, layer.state_max).within(0, layer.state_max)
        return state @ dense.kernel.astype(np.int64) + dense.bias


@dataclasses.dataclass(frozen=True)
class _Sums:
    """What a gate looks up, as the sums that it is made of: they take no look-up of their own."""

    accumulator: Accumulator
    most: int

    def lookup(self, function, name):
        def look_up(value):
            return function(np.clip(self.accumulator.rescale(value), -self.most - 1, self.most))

        return self.accumulator.value.lookup(look_up, name)


def answers(network, inputs):
    """The scores of integers `[B, T, D]`, in NumPy: what has to come out."""
    if network.gate == "add":
        return network.model.run(inputs, executor="reference")
    return expected(network, list(inputs.swapaxes(0, 1)))
