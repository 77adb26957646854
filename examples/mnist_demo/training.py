"""The networks of the MNIST demonstration, and their training."""

import dataclasses
import statistics
import sys

import keras
from common.epoch_times import EpochTimes

import keras_addrnn as ka

BATCH_SIZE = 64
LAYERS = {"AddGRU": ka.AddGRU, "GRU": keras.layers.GRU, "LSTM": keras.layers.LSTM}


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


def build(kind, units):
    """A network of one recurrent layer, named in `LAYERS`, that names the digit at the end."""
    return keras.Sequential(
        [
            keras.Input((28, 28), name="rows"),
            LAYERS[kind](units),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name=kind.lower(),
    )


def train(kind, digits, *, units, epochs, seed):
    """Trains one network of one recurrent layer and returns its `Run`."""
    keras.utils.set_random_seed(seed)
    model = build(kind, units)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        sequences(digits.x_train),
        digits.y_train,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=(sequences(digits.x_test), digits.y_test),
        callbacks=[EpochTimes()],
        verbose=1 if sys.stdout.isatty() else 2,  # progress bars; in a log, a line for each epoch
    ).history
    return Run(f"{kind}({units})", model, history)


def sequences(images):
    """Images `uint8 [N, 28, 28]` as sequences of rows, `float32` in 0 to 1."""
    return images.astype("float32") / 255
