"""The exact adder: weights set by hand, for AddGRU and, as well as it can be, for GRU."""

import dataclasses

import keras
import numpy as np

import keras_addrnn as ka

GRID = 1024  # values are multiples of 1 / GRID, whose sums float32 holds exactly


@dataclasses.dataclass(frozen=True)
class Sums:
    """How far a layer's sum is from the true one."""

    name: str
    timesteps: int
    error: float


def sequence(timesteps, seed=0):
    """One sequence of values in 0 to 1, half of them marked, and the sum of those.

    Returns:
        `float32 [1, T, 2]` of value and marker, and a float.
    """
    rng = np.random.default_rng(seed)
    values = rng.integers(0, GRID + 1, timesteps) / GRID
    marks = rng.integers(0, 2, timesteps)
    x = np.stack([values, marks], -1)[np.newaxis].astype("float32")
    return x, float((values * marks).sum())


def add_gru():
    """`u = 1 - marker`, `c = value`: a marked value is added, any other keeps the state."""
    return _by_hand(ka.AddGRU(1), [[0, 1], [-1, 0]], [[0, 0]], [1, 0])


def gru(gate, timesteps):
    """The update gate is `sigmoid(-gate)` at a marked step and `sigmoid(gate)` at any other.

    A GRU has no sum, but where its tanh is nearly linear, `tanh(h + value / many)` is nearly one.
    """
    many = 1e3 * timesteps
    run = _by_hand(
        keras.layers.GRU(1),
        [[0, 0, 1 / many], [-2 * gate, 0, 0]],  # columns: update, reset, candidate
        [[0, 0, 1]],
        [[gate, 100, 0], [0, 0, 0]],
    )
    return lambda x: many * run(x)


def _by_hand(layer, *weights):
    """A function from a sequence to the last state of a layer of one unit with these weights."""
    model = keras.Sequential([keras.Input((None, 2)), layer])
    layer.set_weights([np.array(each, "float32") for each in weights])
    return lambda x: float(model.predict(x, verbose=0)[0, 0])


def compare(lengths, gates=(5, 10, 20)):
    """The error of each layer for each number of steps."""
    for timesteps in lengths:
        x, expected = sequence(timesteps)
        adders = {"AddGRU": add_gru()}
        adders |= {f"GRU, gate ±{gate}": gru(gate, timesteps) for gate in gates}
        for name, run in adders.items():
            yield Sums(name, timesteps, abs(run(x) - expected))
