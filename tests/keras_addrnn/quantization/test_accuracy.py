"""Quantized after training, a network that reads digits reads them as well as before."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.examples.support import EXAMPLES


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="trained once is enough")
def test_digits():
    with np.load(EXAMPLES / "data" / "mnist_subset.npz") as digits:
        x_train, x_test = (digits[name].astype("float32") / 255 for name in ("x_train", "x_test"))
        y_train, y_test = digits["y_train"], digits["y_test"]
    model = keras.Sequential(
        [keras.Input((28, 28)), ka.AddGRU(64), keras.layers.Dense(10, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x_train, y_train, batch_size=64, epochs=3, verbose=0)

    def accuracy(answers):
        return (answers.argmax(-1) == y_test).mean()

    expected = accuracy(model.predict(x_test, verbose=0))
    assert expected > 0.9
    for rescale in ("shift", "multiplier"):
        integers = ka.quantization.quantize(model, x_train[:500], rescale=rescale)
        # 0.3 points, and the chance of four digits of 2,000.
        assert abs(accuracy(integers.predict(x_test)) - expected) <= 0.005
