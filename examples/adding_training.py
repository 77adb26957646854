"""The adding problem, learnt: the sum of the two marked values of a sequence."""

import dataclasses
import statistics
import time

import keras
import numpy as np
from multiplying_gru import MultiplyingGRUCell

import keras_addrnn as ka

BATCH_SIZE = 64
STEPS_PER_EPOCH = 50  # batches; so often the error is looked at
SOLVED = 0.01  # mean squared error; 0.167 for always answering 1
LAYERS = {
    "AddGRU": ka.AddGRU,
    "multiplying": lambda units: keras.layers.RNN(MultiplyingGRUCell(units)),
    "GRU": keras.layers.GRU,
    "LSTM": keras.layers.LSTM,
    "SimpleRNN": keras.layers.SimpleRNN,
}


@dataclasses.dataclass(frozen=True)
class Run:
    """How one network learnt; the errors are those after each `STEPS_PER_EPOCH` batches."""

    layer: str
    timesteps: int
    seed: int
    errors: list
    seconds_per_batch: float

    @property
    def solved_after(self):
        """The number of batches until the error was below `SOLVED`, or None."""
        below = (i for i, error in enumerate(self.errors, 1) if error < SOLVED)
        epoch = next(below, None)
        return None if epoch is None else epoch * STEPS_PER_EPOCH


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


def train(kind, timesteps, *, units, batches, seed):
    """Trains a network of one layer, named in `LAYERS`, until it has solved the problem.

    Args:
        batches: When to give up.

    Returns:
        Its `Run`.
    """
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [keras.Input((None, 2)), LAYERS[kind](units), keras.layers.Dense(1)], name=kind.lower()
    )
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    rng = np.random.default_rng(seed)

    def endless():
        while True:
            yield problems(rng, BATCH_SIZE, timesteps)

    stop = _UntilSolved()
    model.fit(
        endless(),
        steps_per_epoch=STEPS_PER_EPOCH,
        epochs=-(-batches // STEPS_PER_EPOCH),
        validation_data=problems(np.random.default_rng(10**6), 500, timesteps),
        callbacks=[stop],
        shuffle=False,
        verbose=0,
    )
    return Run(kind, timesteps, seed, stop.errors, stop.seconds_per_batch)


class _UntilSolved(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.errors, self._seconds = [], []

    @property
    def seconds_per_batch(self):
        return statistics.median(self._seconds)

    def on_train_batch_begin(self, batch, logs=None):
        self._begin = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._seconds.append(time.perf_counter() - self._begin)

    def on_epoch_end(self, epoch, logs=None):
        self.errors.append(logs["val_loss"])
        # An error that is not finite does not come back.
        self.model.stop_training = logs["val_loss"] < SOLVED or not np.isfinite(logs["val_loss"])
