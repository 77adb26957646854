"""
Title: Handwritten digits, read row by row
Description: AddGRU beside GRU on MNIST, and the trained network in integers alone.

A digit of 28 by 28 pixels becomes a sequence: 28 steps of 28 features. The network reads the rows
from top to bottom and names the digit after the last one.

You will see how accurate both layers are, how long they train, and that integers lose nothing.

    python examples/mnist_rows.py    # half a minute on two cores

## Setup

Keras runs on TensorFlow here. With `KERAS_BACKEND=jax` or `torch` the same code runs on those.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pathlib
import tempfile
import time

import keras
import numpy as np

import addrnn
import keras_addrnn as ka

EPOCHS = 3
UNITS = 128
BATCH_SIZE = 64
EXAMPLES = pathlib.Path(__file__).parent

"""
## The data

`examples/data` holds 10,000 digits to train on and 2,000 to test.
`keras.datasets.mnist.load_data()` downloads all 70,000.
"""

with np.load(EXAMPLES / "data" / "mnist_subset.npz") as digits:
    x_train, y_train = digits["x_train"].astype("float32") / 255, digits["y_train"]
    x_test, y_test = digits["x_test"].astype("float32") / 255, digits["y_test"]

print(f"{len(x_train):,} digits to train on, {len(x_test):,} to test; each {x_train.shape[1:]}")

"""
## The models

`ka.AddGRU` takes the arguments of `keras.layers.GRU`, so it stands where a GRU stands. Its gate
adds and subtracts where a GRU's multiplies. It has two kernels where a GRU has three.
"""


def build(layer):
    return keras.Sequential(
        [keras.Input((28, 28)), layer, keras.layers.Dense(10, activation="softmax")]
    )


keras.utils.set_random_seed(0)
models = {"AddGRU": build(ka.AddGRU(UNITS)), "GRU": build(keras.layers.GRU(UNITS))}

"""
## Training

Both are trained alike. An epoch of AddGRU takes a fraction of GRU's time on a processor.
`ka.info()` tells whether the compiled op is there; without it AddGRU is composed of Keras' ops.
"""

why_not = ka.info()["why_not"]
print("AddGRU runs", "fused" if why_not is None else f"composed: {why_not}")

accuracies = {}
for name, model in models.items():
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    begin = time.perf_counter()
    model.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
    seconds = time.perf_counter() - begin
    _, accuracies[name] = model.evaluate(x_test, y_test, verbose=0)
    print(
        f"{name:7} {model.count_params():,} parameters, {seconds:.0f} s for {EPOCHS} epochs, "
        f"{100 * accuracies[name]:.1f} % of the test digits right"
    )

"""
## Integers alone

The gate needs no sigmoid and no product. So the whole network runs in integers: int8 weights and
an int16 state. `quantize` runs some digits through the model to find the ranges of its values.
The result runs on NumPy alone: `import addrnn` imports neither Keras nor TensorFlow.
"""

model = models["AddGRU"]
integers = ka.quantization.quantize(model, x_train[:500])
with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder) / "digits.safetensors"
    integers.save(file)
    print(f"\nthe integer model's file has {file.stat().st_size / 1000:.0f} kB")
    integers = addrnn.load(file)

classes = integers.run(integers.inputs.quantize(x_test)).argmax(-1)
accuracies["integers"] = (classes == y_test).mean()
agreement = (classes == model.predict(x_test, verbose=0).argmax(-1)).mean()
print(
    f"integers {100 * accuracies['integers']:.1f} % of the test digits right, "
    f"the same class as Keras for {100 * agreement:.1f} %"
)

"""
## What next

`examples/mnist_demo` trains longer, adds LSTM and curves, and runs the networks in LiteRT.
`examples/streaming.py` names a digit while its rows arrive.
"""
