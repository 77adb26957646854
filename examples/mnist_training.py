"""Building and training the networks of the MNIST example."""

import dataclasses
import statistics
import sys

import keras
import numpy as np
from epoch_times import EpochTimes
from multiplying_gru import MultiplyingGRUCell

import keras_addrnn as ka

ORDERS = {"rows": (28, 28), "columns": (28, 28), "pixels": (784, 1)}  # steps, features of a step
BATCH_SIZE = 64
LEARNING_RATE = 1e-3
COMPARED = ("AddGRU", "GRU", "LSTM")  # by the example
LAYERS = {
    "AddGRU": ka.AddGRU,
    "AddGRU, hard_tanh": lambda units: ka.AddGRU(units, activation="hard_tanh"),
    # With a ReLU candidate a shifted state drifts upwards, docs/defaults.md.
    "AddGRU, shift 0.5": lambda units: ka.AddGRU(units, activation="hard_tanh", state_shift=0.5),
    "GRU": keras.layers.GRU,
    "LSTM": keras.layers.LSTM,
    "multiplying": lambda units: keras.layers.RNN(MultiplyingGRUCell(units)),
}


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained model and how its training went.

    Attributes:
        name: Of the layer and its units.
        model: The `keras.Model`.
        history: Dict of lists with one entry for each epoch: losses, accuracies, and the times that
            `EpochTimes` adds.
    """

    name: str
    model: keras.Model
    history: dict

    @property
    def seconds_per_epoch(self):
        """The median; of more than one without the first, which traces and compiles."""
        seconds = self.history["seconds"]
        return statistics.median(seconds[1:] or seconds)


def build(kind, units, order="rows", layers=LAYERS):
    """A network of one recurrent layer, of those in `layers`, that names the digit at the end."""
    return keras.Sequential(
        [
            keras.Input(ORDERS[order], name=order),
            layers[kind](units),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name="mnist_" + kind.lower().replace(",", "").replace(" ", "_"),
    )


def train(
    kind,
    digits,
    *,
    units,
    epochs,
    seed,
    layers=LAYERS,
    order="rows",
    learning_rate=LEARNING_RATE,
    callbacks=(),
):
    """Trains one network of one recurrent layer and returns its `Run`.

    Args:
        kind: The layer's name in `layers`.
        digits: `mnist_data.Digits`.
        layers: Dict of functions of the number of units.
        order: How a digit becomes a sequence, a name in `ORDERS`.
        learning_rate: Adam's, a number or one of Keras' schedules.
        callbacks: More of Keras' callbacks; they see the times that `EpochTimes` adds.
    """
    # The same seed for each network: the same order of the digits.
    keras.utils.set_random_seed(seed)
    model = build(kind, units, order, layers)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        sequences(digits.x_train, order),
        digits.y_train,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=(sequences(digits.x_test, order), digits.y_test),
        callbacks=[EpochTimes(), *callbacks],
        verbose=1 if sys.stdout.isatty() else 2,  # progress bars; in a log, a line for each epoch
    ).history
    return Run(f"{kind}({units})", model, history)


def sequences(images, order="rows"):
    """Images `uint8 [N, 28, 28]` as sequences `float32 [N, steps, features]` in 0 to 1."""
    images = images.astype("float32") / 255
    if order == "columns":
        images = np.swapaxes(images, 1, 2)
    return np.ascontiguousarray(images).reshape(len(images), *ORDERS[order])
