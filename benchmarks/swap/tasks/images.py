"""Digits read by rows or columns, and the digit of each column of a row of them."""

import functools

import keras
import numpy as np

from benchmarks._tasks import digits
from benchmarks._tasks.learning import classify

UNITS = 64
SIDE = 28  # of a digit's image, pixels
ROW = 5  # digits in a composed image


def mnist_rows(make, seed):
    return _mnist(make, "rows")


def mnist_columns(make, seed):
    return _mnist(make, "columns")


def _mnist(make, order):
    x, y, x_test, y_test = digits.load()
    x, x_test = digits.sequences(x, order), digits.sequences(x_test, order)
    inputs = keras.Input(x.shape[1:])
    model = keras.Sequential([inputs, make(UNITS), keras.layers.Dense(10, activation="softmax")])
    return classify(model, (x, y), (x_test, y_test), epochs=5, batch_size=64)


def label_columns(make, seed):
    """Each column gets the class of its digit: an answer at every step."""
    train, test = columns()
    layers = [keras.Input(train[0].shape[1:]), make(UNITS, return_sequences=True)]
    model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
    return classify(model, train, test, epochs=5, batch_size=32)


@functools.cache
def columns(count=3000, test_count=500):
    """Rows of digits by columns, and each column's class, to train on, then to test with.

    Returns:
        Twice a tuple of `float32 [count, 140, 28]` in 0 to 1 and `uint8 [count, 140]`.
    """
    x, y, x_test, y_test = digits.load()
    rng = np.random.default_rng(0)
    return _composed(x, y, count, rng), _composed(x_test, y_test, test_count, rng)


def _composed(images, labels, count, rng):
    chosen = rng.integers(0, len(labels), (count, ROW))
    x = np.swapaxes(images[chosen], 2, 3).reshape(count, ROW * SIDE, SIDE)
    return x.astype("float32") / 255, np.repeat(labels[chosen], SIDE, axis=1)
