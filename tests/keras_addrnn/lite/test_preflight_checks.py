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

from tensorflow.lite.python import schema_py_generated as schema

from addrnn.lite import _flatbuffer
from keras_addrnn.lite import _converter_process
from tests.keras_addrnn.lite.models import UNITS, sequences, sequential


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


def file_with(name):
    """A file that needs an operator: a builtin one, or else a custom one of that name."""
    code = schema.OperatorCodeT()
    builtin = getattr(schema.BuiltinOperator, name, schema.BuiltinOperator.CUSTOM)
    code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, 127)
    if builtin == schema.BuiltinOperator.CUSTOM:
        code.customCode = name
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [], []
    return _flatbuffer.write(model)


@pytest.mark.parametrize("ops", ["builtin", "fused"])
@pytest.mark.parametrize("name", ["FlexSvd", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"])
def test_finished_file_is_checked(ops, name, monkeypatch):
    monkeypatch.setattr(_converter_process, "convert", lambda *_, **__: file_with(name))
    with pytest.raises(ValueError, match=f"does not convert.*it needs {name}"):
        ka.lite.convert(sequential(ka.AddGRU(UNITS)), ops=ops)


@pytest.fixture
def no_converter(monkeypatch):
    def entered(*_, **__):
        raise AssertionError("the converter was entered")

    monkeypatch.setattr(_converter_process, "convert", entered)


@pytest.mark.parametrize("ops", ["builtin", "fused"])
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float64"])
@pytest.mark.parametrize("place", ["memory", "answer"])
def test_other_types_than_float32_are_refused(place, dtype, ops, no_converter):
    policies = {"memory": "float32", "answer": "float32", place: dtype}
    layers = [ka.AddGRU(UNITS, dtype=policies["memory"], name="memory")]
    layers.append(keras.layers.Dense(2, dtype=policies["answer"], name="answer"))
    with pytest.raises(ValueError, match=f"'{place}' computes in .*float32") as caught:
        ka.lite.convert(sequential(*layers), ops=ops)
    assert "\n" not in str(caught.value)


def test_float32_layers_under_another_policy(dtype_policy):
    dtype_policy("mixed_float16")
    assert ka.lite.convert(sequential(ka.AddGRU(UNITS, dtype="float32")))


@pytest.mark.parametrize("ops", ["builtin", "fused"])
def test_quantization_aware_model_is_refused(ops, no_converter):
    model = sequential(ka.AddGRU(UNITS), keras.layers.Dense(2))
    aware = ka.quantization.quantization_aware(model, sequences(8))
    message = "quantization-aware.*quantization.quantize.*lite.convert_integer"
    with pytest.raises(ValueError, match=message):
        ka.lite.convert(aware, ops=ops)


def test_model_that_changes_itself_is_refused():
    model = sequential(Counting())
    with pytest.raises(ValueError, match="changes its variable .*count.* keeps no state"):
        ka.lite.convert(model)


@keras.saving.register_keras_serializable()
class Counting(keras.layers.Layer):
    def build(self, _):
        self.count = self.add_weight(name="count", initializer="zeros", trainable=False)

    def call(self, inputs):
        self.count.assign_add(1.0)
        return inputs


@pytest.mark.parametrize(
    ("batch_size", "error", "message"),
    [
        (0, ValueError, "must be a positive integer.*batch_size=0"),
        (-2, ValueError, "must be a positive integer.*batch_size=-2"),
        (True, TypeError, "must be a positive integer.*batch_size=True"),
        (1.0, TypeError, "must be a positive integer.*batch_size=1.0"),
        (None, TypeError, "must be a positive integer.*batch_size=None"),
        ("1", TypeError, "must be a positive integer.*batch_size='1'"),
    ],
)
def test_wrong_batch_size(batch_size, error, message):
    with pytest.raises(error, match=message):
        ka.lite.convert(sequential(ka.AddGRU(UNITS)), batch_size=batch_size)


@pytest.mark.parametrize("model", [None, "model.keras", ka.AddGRU(UNITS)])
def test_what_is_no_model(model):
    with pytest.raises(TypeError, match="`model` must be a keras.Model"):
        ka.lite.convert(model)


def test_an_integer_model_is_sent_to_its_converter():
    model = sequential(ka.AddGRU(UNITS))
    integers = ka.quantization.quantize(model, np.ones((2, *model.input_shape[1:]), "float32"))
    with pytest.raises(TypeError, match=r"Received: IntegerModel\. Use .*convert_integer"):
        ka.lite.convert(integers)


def test_model_of_two_arguments():
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.gru = ka.AddGRU(UNITS)

        def call(self, first, second, training=False):
            return self.gru(first) + self.gru(second)

    model, x = Two(), np.ones((1, 7, 3), "float32")
    model(x, x)
    with pytest.raises(ValueError, match="takes 2 arguments: first, second. Wrap it"):
        ka.lite.convert(model)


def test_model_with_unknown_inputs():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    for model in (Subclassed(), keras.Sequential([ka.AddGRU(UNITS)])):
        with pytest.raises(ValueError, match="inputs of .* are unknown.*`representative_data`"):
            ka.lite.convert(model)


def test_path_in_a_directory_that_does_not_exist(tmp_path):
    with pytest.raises(ValueError, match="a directory that exists.*missing"):
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
