"""The exact adder: weights set by hand, for AddGRU and, as well as it can be, for GRU."""

import dataclasses

import keras
import numpy as np

import keras_addrnn as ka

GRID = 1024
# Sums of the first are numbers that float32 holds, those of the second are not.
PROBLEMS = (f"sum of multiples of 1/{GRID}", "sum of any numbers", "one number, kept")


@dataclasses.dataclass(frozen=True)
class Sum:
    """How far a layer's sum is from the true one."""

    problem: str
    name: str
    timesteps: int
    error: float


def sequence(problem, timesteps, seed=0):
    """One sequence of values in 0 to 1, some of them marked, and the sum of those.

    Half of them are marked, or the first alone where it is to be kept.

    Args:
        problem: One of `PROBLEMS`.

    Returns:
        `float32 [1, T, 2]` of value and marker, and a float.
    """
    rng = np.random.default_rng(seed)
    if problem == PROBLEMS[0]:
        values = rng.integers(0, GRID + 1, timesteps) / GRID
    else:
        values = rng.random(timesteps, "float32").astype(float)
    marks = np.arange(timesteps) == 0 if problem == PROBLEMS[2] else rng.integers(0, 2, timesteps)
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


def compare(lengths, problems=PROBLEMS, gates=(5, 10, 20)):
    """The error of each layer for each problem and number of steps."""
    for timesteps in lengths:
        adders = {"AddGRU": add_gru()}
        adders |= {f"GRU, gate ±{gate}": gru(gate, timesteps) for gate in gates}
        for problem in problems:
            x, expected = sequence(problem, timesteps)
            for name, run in adders.items():
                yield Sum(problem, name, timesteps, abs(run(x) - expected))
