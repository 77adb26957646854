"""A model that is trained and saved on one backend gives the same answers on the others."""

import os
import subprocess
import sys

import pytest

BACKENDS = ("tensorflow", "jax", "torch")

# Compares the answers of both implementations with those in files of others, and trains its own.
PROGRAM = """
import sys
import keras, numpy as np
import keras_addrnn as ka

assert ka.info()["fused"], ka.info()["why_not"]
own, *others = sys.argv[1:]
for name in others:
    expected = np.load(name + ".npz")
    model = keras.saving.load_model(name + ".keras")
    for implementation in ("auto", "composed"):
        for layer in model._flatten_layers():
            if isinstance(layer, (ka.AddGRU, ka.MinAddGRU, ka.AddGRUCell)):
                layer.implementation = implementation
        model.predict_function = None
        found = model.predict(expected["x"], verbose=0)
        print(abs(found - expected["y"]).max(), abs(expected["y"]).max())

x = np.random.default_rng(0).normal(size=(40, 11, 3)).astype("float32")
x[5:, 8:] = 0  # masked
inputs = keras.Input((None, 3))
masked = keras.layers.Masking()(inputs)
hidden = keras.layers.Bidirectional(ka.AddGRU(5, return_sequences=True, dropout=0.1))(masked)
hidden = ka.MinAddGRU(7, return_sequences=True)(hidden)
outputs = keras.layers.RNN(ka.AddGRUCell(4, activation="tanh", state_max=2.0))(hidden)
model = keras.Model(inputs, outputs)
model.compile("adam", "mse")
model.fit(x, np.ones((40, 4)), batch_size=16, epochs=2, verbose=0)
model.save(own + ".keras")
np.savez(own + ".npz", x=x, y=model.predict(x, verbose=0))
"""


def run(backend, code, *arguments):
    ran = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


@pytest.mark.fused
def test_files_mean_the_same_everywhere(tmp_path):
    for count, backend in enumerate(BACKENDS):
        pytest.importorskip(backend)
        earlier = [tmp_path / name for name in BACKENDS[:count]]
        lines = run(backend, PROGRAM, tmp_path / backend, *earlier).splitlines()
        assert len(lines) == 2 * count
        for line in lines:
            difference, largest = map(float, line.split())
            assert difference < 1e-5 < 0.01 < largest, (backend, line)
