"""
Title: The adding problem
Description: A layer that adds: by hand, exactly, and learned beside GRU.

A sequence holds values from 0 to 1, some of which are marked. The task is the sum of the marked
values. It is a classic test of memory (Hochreiter and Schmidhuber, 1997).

You will see weights, set by hand, that keep a number for ten thousand steps without any error. Then
you will see how many batches AddGRU and GRU need to find out by themselves that they have to add.

    python examples/adding_problem.py    # a minute on two cores

## Setup
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import keras_addrnn as ka

MANY = 1e7  # more than any sum, by far
LENGTHS = (100, 1000, 10_000)  # of the sequences that are added by hand
TIMESTEPS = 50  # of those to learn
UNITS = 64
BATCHES = 1000  # when to give up
SOLVED = 0.01  # mean squared error; always answering 1 has 0.167

"""
## By hand: the exact adder

One unit of AddGRU has a gate `u` and a candidate `c`, and its state becomes

    h = relu(h - relu(-u)) + relu(c - relu(u))

With `u = 1 - marker` and `c = value`, a marked step adds its value to the state. At any other step
`u = 1` takes the candidate away, and the state stays as it is, bit by bit.
"""


def by_hand(layer, *weights):
    """A function from sequences to the last state of a layer of one unit with these weights."""
    model = keras.Sequential([keras.Input((None, 2)), layer])
    layer.set_weights([np.array(each, "float32") for each in weights])
    return lambda x: float(model.predict(x, verbose=0)[0, 0])


def add_gru():
    return by_hand(ka.AddGRU(1, scale_inputs=False), [[0, 1], [-1, 0]], [[0, 0]], [1, 0])


"""
A GRU has no sum. Where its tanh is nearly linear, `tanh(h + value / MANY)` is nearly one. Its gate
is `sigmoid(-20)` at a marked step and `sigmoid(20)` at any other: nearly 0 and 1, but never.
"""


def gru():
    kernel = [[0, 0, 1 / MANY], [-40, 0, 0]]  # columns: update, reset, candidate
    run = by_hand(keras.layers.GRU(1), kernel, [[0, 0, 1]], [[20, 100, 0], [0, 0, 0]])
    return lambda x: MANY * run(x)


"""
Three kinds of sequences: multiples of 1/1024, whose sums float32 holds exactly; any numbers; and
one number at the first step, to be kept.
"""


def marked_sequence(kind, timesteps, seed=0):
    """One sequence `[1, T, 2]` of value and marker, and the true sum."""
    rng = np.random.default_rng(seed)
    values = rng.random(timesteps, "float32").astype(float)
    if kind == "multiples":
        values = rng.integers(0, 1025, timesteps) / 1024
    marks = np.arange(timesteps) == 0 if kind == "kept" else rng.integers(0, 2, timesteps)
    x = np.stack([values, marks], -1)[np.newaxis].astype("float32")
    return x, float((values * marks).sum())


errors, adders = {}, {"AddGRU": add_gru(), "GRU": gru()}
for kind in ("multiples", "any", "kept"):
    for timesteps in LENGTHS:
        x, expected = marked_sequence(kind, timesteps)
        for name, run in adders.items():
            errors[name, kind, timesteps] = error = abs(run(x) - expected)
            print(f"{kind:9} T = {timesteps:6,} {name:6} is off by {error:.1g}")

"""
## Learned

Now two values are marked, one in each half. Each batch is new, so nothing can be learned by heart.
"""


def problems(rng, count, timesteps):
    """Sequences `[count, T, 2]` of value and marker, and their sums `[count, 1]`."""
    values, marks = rng.random((count, timesteps)), np.zeros((count, timesteps))
    rows, half = np.arange(count), timesteps // 2
    marks[rows, rng.integers(0, half, count)] = 1
    marks[rows, rng.integers(half, timesteps, count)] = 1
    return np.stack([values, marks], -1).astype("float32"), (values * marks).sum(1, keepdims=True)


class StopWhenSolved(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs):
        self.model.stop_training = not logs["val_loss"] >= SOLVED  # NaN does not come back either


validation = problems(np.random.default_rng(1), 500, TIMESTEPS)
print(f"\nT = {TIMESTEPS}: how many batches of 64 until the mean squared error is below {SOLVED}")
losses = {}
for layer in (ka.AddGRU(UNITS), keras.layers.GRU(UNITS)):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((None, 2)), layer, keras.layers.Dense(1)])
    model.compile("adam", "mse")
    x, y = problems(np.random.default_rng(0), 64 * BATCHES, TIMESTEPS)
    batches = ((x[i : i + 64], y[i : i + 64]) for i in range(0, len(x), 64))
    history = model.fit(
        batches,
        steps_per_epoch=50,
        epochs=BATCHES // 50,
        validation_data=validation,
        callbacks=[StopWhenSolved()],
        shuffle=False,
        verbose=0,
    ).history
    name = type(layer).__name__
    losses[name] = history["val_loss"]
    after = f"after {50 * len(losses[name]):4}" if losses[name][-1] < SOLVED else "not"
    print(f"{name:6} solved {after}, error {losses[name][-1]:.4f}")
