"""MNIST, read row by row by one recurrent layer."""

import dataclasses
import gzip
import pathlib
import statistics
import sys
import time

import keras
import numpy as np

import keras_addrnn as ka
from benchmarks._tasks.multiplying import MultiplyingGRUCell

SUBSET = pathlib.Path(__file__).parents[2] / "examples" / "data" / "mnist_subset.npz"
NAMES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
ORDERS = {"rows": (28, 28), "columns": (28, 28), "pixels": (784, 1)}  # steps, features of a step
BATCH_SIZE = 64
LEARNING_RATE = 1e-3
LAYERS = {
    "AddGRU": ka.AddGRU,
    "AddGRU, hard_tanh": lambda units: ka.AddGRU(units, activation="hard_tanh"),
    # With a ReLU candidate a shifted state drifts upwards, docs/defaults.md.
    "AddGRU, shift 0.5": lambda units: ka.AddGRU(units, activation="hard_tanh", state_shift=0.5),
    "GRU": keras.layers.GRU,
    "LSTM": keras.layers.LSTM,
    "multiplying": lambda units: keras.layers.RNN(MultiplyingGRUCell(units)),
}


def load(data_dir=None, full=False):
    """Images and labels, `uint8`, to train on, then those to test with.

    Args:
        data_dir: Folder of the four IDX files, gzipped or not; None for the subset that this
            repository has.
        full: Whether all 70,000, and not the same 10,000 and 2,000 each time.
    """
    if data_dir is None:
        if full:
            raise ValueError("All of MNIST needs --data-dir, a folder of its IDX files.")
        with np.load(SUBSET) as arrays:
            return [arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")]
    arrays = [_read(data_dir, f"{name}-ubyte") for name in NAMES]
    if full:
        return arrays
    train, test = _choose(len(arrays[1]), 10_000), _choose(len(arrays[3]), 2_000)
    return [array[part] for array, part in zip(arrays, (train, train, test, test), strict=True)]


def _choose(size, count):
    drawn = np.random.Generator(np.random.PCG64(0)).choice(size, count, replace=False)
    return np.sort(drawn)


def _read(data_dir, name):
    path = data_dir / name
    content = path.read_bytes() if path.is_file() else gzip.open(f"{path}.gz").read()
    axes = content[3]  # then their lengths
    shape = np.frombuffer(content[4 : 4 + 4 * axes], ">u4")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def sequences(images, order="rows"):
    """Images `uint8 [N, 28, 28]` as sequences `float32 [N, steps, features]` in 0 to 1."""
    images = images.astype("float32") / 255
    if order == "columns":
        images = np.swapaxes(images, 1, 2)
    return np.ascontiguousarray(images).reshape(len(images), *ORDERS[order])


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained model; its history has losses, accuracies and times, one of each epoch."""

    name: str
    model: keras.Model
    history: dict

    @property
    def seconds_per_epoch(self):
        """The median, without the first epoch, which traces and compiles."""
        seconds = self.history["seconds"]
        return statistics.median(seconds[1:] or seconds)


def train(
    kind,
    data,
    *,
    units,
    epochs,
    seed,
    layers=LAYERS,
    order="rows",
    learning_rate=LEARNING_RATE,
    callbacks=(),
):
    """Trains one recurrent layer, named in `layers`, and a dense one, on what `load` gives."""
    # The same seed for each network: the same order of the digits.
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input(ORDERS[order], name="rows"),
            layers[kind](units),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(learning_rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    x_train, y_train, x_test, y_test = data
    history = model.fit(
        sequences(x_train, order),
        y_train,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=(sequences(x_test, order), y_test),
        callbacks=[_EpochTimes(), *callbacks],
        verbose=1 if sys.stdout.isatty() else 2,
    ).history
    return Run(f"{kind}({units})", model, history)


class _EpochTimes(keras.callbacks.Callback):
    """Adds what an epoch took without its validation to its logs, for the callbacks after this one.

    `seconds` of the clock, and `processor_seconds` of all processors together. On a machine that
    others use too, the second says more.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter(), time.process_time()

    def on_test_begin(self, logs=None):
        self._end = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = self._end[0] - self._begin[0]
        logs["processor_seconds"] = self._end[1] - self._begin[1]
