"""MNIST, read row by row by one recurrent layer."""

import gzip
import pathlib
import sys
import time

import keras
import numpy as np

import keras_addrnn as ka
from benchmarks._tasks.multiplying import MultiplyingGRUCell

SUBSET = pathlib.Path(__file__).parents[2] / "examples" / "data" / "mnist_subset.npz"
NAMES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
ORDERS = {"rows": (28, 28), "columns": (28, 28), "pixels": (784, 1)}  # steps, features of a step
ALL = 60_000  # to train on
BATCH_SIZE = 64
LEARNING_RATE = 1e-3
LAYERS = {
    "AddGRU": ka.AddGRU,
    "GRU": keras.layers.GRU,
    "LSTM": keras.layers.LSTM,
    "multiplying": lambda units: keras.layers.RNN(MultiplyingGRUCell(units)),
    "AddGRU, hard_tanh": lambda units: ka.AddGRU(units, activation="hard_tanh"),
    # With a ReLU candidate a shifted state drifts upwards, docs/explanation/defaults.md.
    "AddGRU, shift 0.5": lambda units: ka.AddGRU(units, activation="hard_tanh", state_shift=0.5),
}


def load(data_dir=None):
    """Images and labels, `uint8`, to train on, then those to test with.

    Args:
        data_dir: Folder of the four IDX files of MNIST, gzipped or not; None for the 10,000 and
            2,000 digits that this repository has.
    """
    if data_dir is None:
        with np.load(SUBSET) as arrays:
            return [arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")]
    return [_read(data_dir, f"{name}-ubyte") for name in NAMES]


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


def train(make, data, *, units, epochs, seed, order="rows", rate=LEARNING_RATE, callbacks=()):
    """Trains a recurrent layer, `make(units)`, and a dense one on what `load` gives.

    Returns:
        The model, and a dict of its losses, accuracies and times, one of each epoch.
    """
    # The same seed for each network: the same order of the digits.
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(ORDERS[order], name="rows")
    layers = [inputs, make(units), keras.layers.Dense(10, activation="softmax")]
    model = keras.Sequential(layers)
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
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
    return model, history


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
