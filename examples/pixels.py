"""
Title: Handwritten digits, pixel by pixel
Description: A stack of MinAddGRU layers, parallel in time, on sequences of 196 steps.

A digit becomes one long sequence: a pixel at each step, the rows one after the other. A recurrent
layer like GRU goes through it step by step. The gates of `ka.MinAddGRU` read inputs alone, so it
computes all steps at once.

You will see how to stack such layers, and how much sooner they are trained than a GRU.

    python examples/pixels.py    # a minute on two cores

## Setup

Keras runs on TensorFlow here. With `KERAS_BACKEND=jax` or `torch` the same code runs on those.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pathlib
import time

import keras
import numpy as np

import keras_addrnn as ka

EPOCHS = 3
UNITS = 64
LAYERS = 3
BATCH_SIZE = 64
DIGITS = 10_000
EXAMPLES = pathlib.Path(__file__).parent

"""
## The data

`examples/data` holds 10,000 digits to train on and 2,000 to test. Each is made half as high and
half as wide, which leaves 196 pixels.
"""

with np.load(EXAMPLES / "data" / "mnist_subset.npz") as digits:
    x_train, y_train = digits["x_train"][:DIGITS], digits["y_train"][:DIGITS]
    x_test, y_test = digits["x_test"], digits["y_test"]


def pixels(images):
    halved = images.reshape(-1, 14, 2, 14, 2).mean((2, 4)) / 255
    return halved.reshape(-1, 196, 1).astype("float32")


x_train, x_test = pixels(x_train), pixels(x_test)
print(f"{len(x_train):,} digits to train on, {len(x_test):,} to test; each {x_train.shape[1:]}")

"""
## The stack

One MinAddGRU sees the last few inputs, and a maximum of what was before. Two or more tell more,
with a normalization between. A layer adds to what the one before it found: the gradient finds a
short way through a deep stack.

The last state says what the digit is. Each unit's state is a maximum that fades, so it can hold
what was read long ago.
"""


def stack(inputs):
    hidden = ka.MinAddGRU(UNITS, return_sequences=True)(inputs)
    for _ in range(LAYERS - 1):
        normalized = keras.layers.LayerNormalization()(hidden)
        hidden = keras.layers.Add()(
            [hidden, ka.MinAddGRU(UNITS, return_sequences=True)(normalized)]
        )
    return keras.layers.LayerNormalization()(hidden)[:, -1]


def build(recurrent):
    inputs = keras.Input((196, 1))
    outputs = keras.layers.Dense(10, activation="softmax")(recurrent(inputs))
    return keras.Model(inputs, outputs)


keras.utils.set_random_seed(0)
models = {"MinAddGRU": build(stack), "GRU": build(keras.layers.GRU(UNITS))}

"""
## Training

Both are trained alike. The stack has three layers, and is faster than one GRU all the same.
"""

accuracies = {}
for name, model in models.items():
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    begin = time.perf_counter()
    model.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
    seconds = time.perf_counter() - begin
    _, accuracies[name] = model.evaluate(x_test, y_test, verbose=0)
    print(
        f"{name:9} {model.count_params():,} parameters, {seconds:.0f} s for {EPOCHS} epochs, "
        f"{100 * accuracies[name]:.1f} % of the test digits right"
    )

"""
## What next

`docs/how-to/choose-layer.md` says when to take which layer. `keras_addrnn.lite.convert` turns the
stack into a LiteRT file without a loop.
"""
