"""What does not convert is refused in one sentence, and leaves files as they were."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)

import tensorflow as tf

from tests.lite.models import FEATURES, UNITS, sequential


def needs_tensorflow():
    inputs = keras.Input((4, 4), name="square")
    return keras.Model(inputs, keras.ops.svd(inputs)[1], name="svd")


def test_file_is_kept_when_the_model_does_not_convert(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"an older one")
    with pytest.raises(ValueError):
        ka.lite.convert(needs_tensorflow(), path)
    assert path.read_bytes() == b"an older one"
    assert [file.name for file in tmp_path.iterdir()] == ["model.tflite"]


def test_operator_of_tensorflow_is_refused():
    with pytest.raises(ValueError, match="Model 'svd' does not convert.*it needs Svd") as caught:
        ka.lite.convert(needs_tensorflow())
    assert "\n" not in str(caught.value)


def test_custom_operator_in_the_file_is_refused(monkeypatch):
    # The converter refuses them first, unless it is told not to.
    original = tf.lite.TFLiteConverter.convert

    def lenient(converter):
        converter.allow_custom_ops = True
        return original(converter)

    monkeypatch.setattr(tf.lite.TFLiteConverter, "convert", lenient)
    with pytest.raises(ValueError, match="Model 'svd' does not convert.*it needs Svd"):
        ka.lite.convert(needs_tensorflow())


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_other_types_than_float32_are_refused(dtype):
    model = sequential(ka.AddGRU(UNITS, dtype=dtype, name="memory"))
    with pytest.raises(ValueError, match="'memory' computes in .*float32") as caught:
        ka.lite.convert(model)
    assert "\n" not in str(caught.value)


def test_stateful_layer_is_refused():
    inputs = keras.Input(batch_shape=(1, 7, FEATURES))
    model = keras.Model(inputs, ka.AddGRU(UNITS, stateful=True, name="memory")(inputs))
    with pytest.raises(ValueError, match="'memory' is stateful.*stateful=False"):
        ka.lite.convert(model)


@pytest.mark.parametrize(
    ("batch_size", "error", "message"),
    [
        (0, ValueError, "must be positive.*batch_size=0"),
        (-2, ValueError, "must be positive.*batch_size=-2"),
        (True, TypeError, "must be an integer.*batch_size=True"),
        (1.0, TypeError, "must be an integer.*batch_size=1.0"),
        (None, TypeError, "must be an integer.*batch_size=None"),
        ("1", TypeError, "must be an integer.*batch_size='1'"),
    ],
)
def test_wrong_batch_size(batch_size, error, message):
    with pytest.raises(error, match=message):
        ka.lite.convert(sequential(ka.AddGRU(UNITS)), batch_size=batch_size)


@pytest.mark.parametrize("model", [None, "model.keras", ka.AddGRU(UNITS)])
def test_what_is_no_model(model):
    with pytest.raises(TypeError, match="`model` must be a keras.Model"):
        ka.lite.convert(model)


def test_model_without_symbolic_inputs():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    called = Subclassed()
    called(np.zeros((1, 2)))
    for model in (called, keras.Sequential([ka.AddGRU(UNITS)])):
        with pytest.raises(ValueError, match="built Sequential or functional model"):
            ka.lite.convert(model)


def test_path_in_a_directory_that_does_not_exist(tmp_path):
    with pytest.raises(ValueError, match="`path`.*missing"):
        ka.lite.convert(sequential(ka.AddGRU(UNITS)), tmp_path / "missing" / "model.tflite")


def test_other_backend_is_told_what_to_do():
    pytest.importorskip("jax")
    code = (
        "import keras, keras_addrnn as ka\n"
        "model = keras.Sequential([keras.Input((2, 3)), ka.AddGRU(4)])\n"
        "try:\n    ka.lite.convert(model)\n"
        "except ValueError as error:\n    print(error)\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "KERAS_BACKEND=tensorflow" in result.stdout
    assert "keras_addrnn[tensorflow]" in result.stdout
