"""The adding problem: the sum of the two marked values of a sequence; learnt, and by hand."""

import statistics
import time

import keras
import numpy as np

import keras_addrnn as ka
from benchmarks._tasks.learning import learn_drawn
from benchmarks._tasks.multiplying import MultiplyingGRUCell

BATCH_SIZE = 64
ERROR_EVERY = 50  # batches
SOLVED = 0.01  # mean squared error; 0.167 for always answering 1
LAYERS = {
    "AddGRU": ka.AddGRU,
    "GRU": keras.layers.GRU,
    "multiplying": lambda units: keras.layers.RNN(MultiplyingGRUCell(units)),
    "LSTM": keras.layers.LSTM,
    "SimpleRNN": keras.layers.SimpleRNN,
}
GRID = 1024
# Sums of the first are numbers that float32 holds, those of the second are not.
BY_HAND = (f"sum of multiples of 1/{GRID}", "sum of any numbers", "one number, kept")


def problems(rng, count, timesteps):
    """Sequences of values in 0 to 1, one marked in each half (Hochreiter and Schmidhuber, 1997).

    Returns:
        `float32 [count, timesteps, 2]` of value and marker, and the sums `float64 [count, 1]`.
    """
    values = rng.random((count, timesteps))
    marks = np.zeros((count, timesteps))
    rows = np.arange(count)
    marks[rows, rng.integers(0, timesteps // 2, count)] = 1
    marks[rows, rng.integers(timesteps // 2, timesteps, count)] = 1
    x = np.stack([values, marks], -1).astype("float32")
    return x, (values * marks).sum(1, keepdims=True)


def endless(draw, seed, *arguments):
    """Batches to train on, drawn anew each by `draw(rng, count, *arguments)`."""
    rng = np.random.default_rng(seed)
    while True:
        yield draw(rng, BATCH_SIZE, *arguments)


def errors(model, batches, test, count, *callbacks):
    """Trains on `count` batches; the mean squared error on `test` after every `ERROR_EVERY`."""
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    history = model.fit(
        batches,
        steps_per_epoch=ERROR_EVERY,
        epochs=-(-count // ERROR_EVERY),
        validation_data=test,
        callbacks=[keras.callbacks.TerminateOnNaN(), *callbacks],
        shuffle=False,
        verbose=0,
    ).history
    return history.get("val_loss", [float("nan")])


def learn(layer, timesteps, *, batches, seed, until_solved=True):
    """Trains a layer and a dense one.

    Returns:
        The errors, and the median seconds of a batch.
    """
    model = keras.Sequential([keras.Input((None, 2)), layer, keras.layers.Dense(1)])
    watch = _Watch(until_solved)
    test = problems(np.random.default_rng(10**6), 500, timesteps)
    found = errors(model, endless(problems, seed, timesteps), test, batches, watch)
    return found, statistics.median(watch.seconds)


def learn_sums(layer, timesteps, *, batches, seed, predicted, **options):
    """Trains a layer and a dense one, Adam(0.001).

    Args:
        layer: Recurrent layer that returns its last output.
        timesteps: Of the sequences.
        batches: How many are drawn.
        seed: Of these.
        predicted: How many of the 500 sequences that test it are predicted at a time.
        options: Of `learning.learn`.

    Returns:
        The model, and what `learning.learn` gives; the mean squared error is looked at every
        `ERROR_EVERY` batches.
    """
    model = keras.Sequential([keras.Input((timesteps, 2)), layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    x, y = problems(np.random.default_rng(10**6), 500, timesteps)

    def error():
        return np.mean((model.predict(x, batch_size=predicted, verbose=0) - y) ** 2)

    drawn = endless(problems, seed, timesteps)
    settings = {"batches": batches, "every": ERROR_EVERY, "error": error}
    return model, learn_drawn(model, drawn, **settings, **options)


def solved_after(errors):
    """The batches after which the error was first below `SOLVED`, or None."""
    solved = (ERROR_EVERY * i for i, error in enumerate(errors, 1) if error < SOLVED)
    return next(solved, None)


def solved_cell(errors):
    """The batch after which the problem was solved, or the error that was reached, for a table."""
    after = solved_after(errors)
    return f"never ({errors[-1]:.3f})" if after is None else f"{after:,}"


class _Watch(keras.callbacks.Callback):
    def __init__(self, until_solved):
        super().__init__()
        self._until_solved, self.seconds = until_solved, []

    def on_train_batch_begin(self, batch, logs=None):
        self._begin = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds.append(time.perf_counter() - self._begin)

    def on_epoch_end(self, epoch, logs=None):
        if self._until_solved and logs["val_loss"] < SOLVED:
            self.model.stop_training = True


def sequence(problem, timesteps):
    """One sequence of values in 0 to 1, some of them marked, and the sum of those.

    Half of them are marked, or the first alone where it is to be kept.
    """
    rng = np.random.default_rng(0)
    if problem == BY_HAND[0]:
        values = rng.integers(0, GRID + 1, timesteps) / GRID
    else:
        values = rng.random(timesteps, "float32").astype(float)
    marks = np.arange(timesteps) == 0 if problem == BY_HAND[2] else rng.integers(0, 2, timesteps)
    x = np.stack([values, marks], -1)[np.newaxis].astype("float32")
    return x, float((values * marks).sum())


def adders(timesteps):
    """AddGRU and GRUs of one unit whose weights are set by hand: functions of a sequence.

    AddGRU has `u = 1 - marker` and `c = value`: a marked value is added, any other keeps the state.
    GRU's update gate is `sigmoid(-gate)` at a marked step and `sigmoid(gate)` at any other. It has
    no sum, but where its tanh is nearly linear, `tanh(h + value / many)` is nearly one.
    """
    many = 1e3 * timesteps
    add_gru = ka.AddGRU(1, scale_inputs=False), ([[0, 1], [-1, 0]], [[0, 0]], [1, 0]), 1
    made = {"AddGRU": _by_hand(*add_gru)}
    for gate in (5, 10, 20):
        kernel = [[0, 0, 1 / many], [-2 * gate, 0, 0]]  # columns: update, reset, candidate
        weights = kernel, [[0, 0, 1]], [[gate, 100, 0], [0, 0, 0]]
        made[f"GRU, gate ±{gate}"] = _by_hand(keras.layers.GRU(1), weights, many)
    return made


def _by_hand(layer, weights, factor):
    model = keras.Sequential([keras.Input((None, 2)), layer])
    layer.set_weights([np.array(each, "float32") for each in weights])
    return lambda x: factor * float(model.predict(x, verbose=0)[0, 0])
