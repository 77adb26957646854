"""The networks of the MNIST demonstration, and their training."""

import sys

import keras
from common.epoch_times import EpochTimes

import keras_addrnn as ka

BATCH_SIZE = 64
OURS = {"AddGRU": ka.AddGRU, "MinAddGRU": ka.MinAddGRU}
LAYERS = OURS | {"GRU": keras.layers.GRU, "LSTM": keras.layers.LSTM}


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
    """Trains one network of one recurrent layer; returns Keras' `History`, with `EpochTimes`."""
    keras.utils.set_random_seed(seed)
    model = build(kind, units)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(
        sequences(digits.x_train),
        digits.y_train,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=(sequences(digits.x_test), digits.y_test),
        callbacks=[EpochTimes()],
        verbose=1 if sys.stdout.isatty() else 2,  # progress bars; in a log, a line for each epoch
    )


def sequences(images):
    """Images `uint8 [N, 28, 28]` as sequences of rows, `float32` in 0 to 1."""
    return images.astype("float32") / 255
