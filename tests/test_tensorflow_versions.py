"""The op library, built once, trains in every TensorFlow that the package allows.

Each version is installed into a throw-away environment, so this needs a package index.
"""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent

TRAIN_ONE_STEP = """
import keras, numpy as np, tensorflow as tf
import keras_addrnn as ka

assert ka.info()["fused"], ka.info()["why_not"]
keras.utils.set_random_seed(0)
layer = ka.AddGRU(9, implementation="fused")
model = keras.Sequential([keras.Input((None, 3)), layer, keras.layers.Dense(1)])
model.compile("sgd", "mse")
x = np.random.default_rng(0).normal(size=(5, 4, 3)).astype("float32")
before = [weight.numpy() for weight in layer.weights]
loss = model.train_on_batch(x, np.ones((5, 1)))
assert all((old != new.numpy()).any() for old, new in zip(before, layer.weights))
fused, composed = (
    ka.ops.add_gru(x, *layer.weights, implementation=name)[0] for name in ("fused", "composed")
)
np.testing.assert_allclose(fused, composed, rtol=1e-5, atol=1e-6)
print(f"TensorFlow {tf.__version__}, Keras {keras.__version__}: loss {float(loss):.6f}")
"""


@pytest.mark.slow
@pytest.mark.fused
@pytest.mark.parametrize("version", ["2.19.1", "2.20.0", "2.21.0"])
def test_trains_one_step(version, tmp_path):
    python = tmp_path / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"tensorflow-cpu=={version}", "keras>=3.12"], check=True)
    done = subprocess.run(
        [python, "-c", TRAIN_ONE_STEP],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith(f"TensorFlow {version}")
