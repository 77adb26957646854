"""
Title: A digit that is recognized while it arrives
Description: AddGRU on a stream, step by step, in LiteRT, the runtime of phones.

A network reads handwritten digits row by row and names the digit after each row. For a phone it
becomes a LiteRT file that takes one row and the states, and returns an answer and the next states.

You will see a digit coming in, how early the network knows it, and how long a row takes.

    pip install ai-edge-litert
    python examples/streaming.py    # half a minute on two cores

## Setup

LiteRT files are written by TensorFlow, so Keras has to run on it.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pathlib
import time

import keras
import numpy as np

import addrnn.lite
import keras_addrnn as ka

EPOCHS = 5
UNITS = 64
DIGITS = 300  # to feed and to measure with
EXAMPLES = pathlib.Path(__file__).parent

"""
## The data

An image is a sequence of 28 rows. Its label stands beside each row, so that the network learns to
answer early.
"""

with np.load(EXAMPLES / "data" / "mnist_subset.npz") as digits:
    x_train, y_train = digits["x_train"].astype("float32") / 255, digits["y_train"]
    x_test, y_test = digits["x_test"][:DIGITS].astype("float32") / 255, digits["y_test"][:DIGITS]
labels = np.repeat(y_train[:, np.newaxis], 28, axis=1)

"""
## The model

`return_sequences=True` gives an answer after each step. The number of steps is left open.
"""

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((None, 28)),
        ka.AddGRU(UNITS, return_sequences=True),
        ka.AddGRU(UNITS, return_sequences=True),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x_train, labels, batch_size=64, epochs=EPOCHS, verbose=2)

"""
## For the phone

`streaming_model` turns the states into inputs and outputs. `convert` writes the LiteRT file:
`ops="builtin"` for any interpreter, `ops="fused"` with the AddGru operator of this project, which
`addrnn.lite.Interpreter` knows.
"""

content = ka.lite.convert(ka.lite.streaming_model(model), ops="fused")
print(f"\nthe LiteRT file has {len(content) / 1000:.0f} kB")

interpreter = addrnn.lite.Interpreter(model_content=content, num_threads=1)
interpreter.allocate_tensors()

"""
The first input is the step, the others are the states. The outputs are in the same order.
"""


def restart(interpreter):
    """Sets the states to zero: a new stream begins."""
    for state in interpreter.get_input_details()[1:]:
        interpreter.set_tensor(state["index"], np.zeros(state["shape"], state["dtype"]))


def feed(interpreter, step):
    """Takes the next step `[features]` and returns the answer to it."""
    first, *states = interpreter.get_input_details()
    answer, *next_states = interpreter.get_output_details()
    interpreter.set_tensor(first["index"], step[np.newaxis, np.newaxis])
    interpreter.invoke()
    for state, next_state in zip(states, next_states, strict=True):
        interpreter.set_tensor(state["index"], interpreter.get_tensor(next_state["index"]))
    return interpreter.get_tensor(answer["index"])[0, 0]


"""
## A digit comes in

Beside each row stand the network's guess and how sure it is.
"""

print(f"\na {y_test[0]}, row by row")
restart(interpreter)
for row in x_test[0]:
    answer = feed(interpreter, row)
    drawn = "".join(" .:-=+*#%@"[min(int(10 * pixel), 9)] * 2 for pixel in row)
    bar = "#" * round(20 * answer.max())
    print(f"  |{drawn}|  {answer.argmax()}  {bar:20} {100 * answer.max():3.0f} %")

"""
## How early, and how fast

The times include what Python takes to hand the row and the states over.
"""

answers, seconds = [], []
for image in x_test:
    restart(interpreter)
    for row in image:
        begin = time.perf_counter()
        answers.append(feed(interpreter, row))
        seconds.append(time.perf_counter() - begin)
answers = np.reshape(answers, (len(x_test), 28, 10))

for rows in (7, 14, 21, 28):
    right = (answers[:, rows - 1].argmax(-1) == y_test).mean()
    print(f"after {rows:2} rows {100 * right:3.0f} % of the digits right")
percentiles = np.percentile(seconds, [50, 90, 99, 100])
print(
    "one row takes, in µs: p50 {:.1f}, p90 {:.1f}, p99 {:.1f}, longest {:.1f}".format(
        *percentiles * 1e6
    )
)

"""
## The check

Rows one by one give what the whole digit gives in Keras, but for rounding.
"""

difference = abs(answers - model.predict(x_test, verbose=0)).max()
print(f"rows one by one and whole digits differ by {difference:.1g} at most")
assert difference < 1e-4
