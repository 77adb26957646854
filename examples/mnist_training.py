"""Building and training the networks of the MNIST example."""

import dataclasses
import statistics
import sys
import time

import keras

import keras_addrnn as ka

STEPS, ROW = 28, 28  # a digit is read row by row
BATCH_SIZE = 64
LAYERS = {"AddGRU": ka.AddGRU, "GRU": keras.layers.GRU, "LSTM": keras.layers.LSTM}


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained model and how its training went; the lists have one entry for each epoch."""

    name: str
    model: keras.Model
    history: dict
    seconds: list

    @property
    def seconds_per_epoch(self):
        """The median; of more than one without the first, which traces and compiles."""
        return statistics.median(self.seconds[1:] or self.seconds)


def build(kind, units):
    """A network of one recurrent layer, named in `LAYERS`, that names the digit at the end."""
    return keras.Sequential(
        [
            keras.Input((STEPS, ROW), name="rows"),
            LAYERS[kind](units),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name=f"mnist_{kind.lower()}",
    )


def train(kind, digits, *, units, epochs, seed):
    """Trains one network of one recurrent layer, named in `LAYERS`, and returns its `Run`."""
    # The same seed for each network: the same order of the digits.
    keras.utils.set_random_seed(seed)
    model = build(kind, units)
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    timer = _Timer()
    history = model.fit(
        scaled(digits.x_train),
        digits.y_train,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=(scaled(digits.x_test), digits.y_test),
        callbacks=[timer],
        verbose=1 if sys.stdout.isatty() else 2,  # progress bars; in a log, a line for each epoch
    )
    return Run(f"{kind}({units})", model, history.history, timer.seconds)


def scaled(images):
    """Images `uint8 [N, 28, 28]` as `float32` in 0 to 1."""
    return images.astype("float32") / 255


class _Timer(keras.callbacks.Callback):
    """The seconds that each epoch trained for, without the test at its end."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter()

    def on_test_begin(self, logs=None):
        self.seconds.append(time.perf_counter() - self._begin)
