"""Keras' own `model.export(path, format="litert")`: builtin operators, or our one-line remedy."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("exports with TensorFlow's converter", allow_module_level=True)
pytest.importorskip("ai_edge_litert.interpreter")

from addrnn.lite import _flatbuffer
from tests.keras_addrnn.lite import answers
from tests.keras_addrnn.lite.models import FEATURES, UNITS, sequences, sequential


@pytest.mark.parametrize("steps", [7, None])
def test_exports_builtin_operators_with_open_batch(steps, tmp_path):
    model = sequential(
        keras.layers.Masking(),
        keras.layers.Bidirectional(ka.AddGRU(UNITS, return_sequences=True)),
        ka.AddGRU(4, return_sequences=True),
        ka.AddGRU(3),
        steps=steps,
    )
    path = tmp_path / "model.tflite"
    model.export(path, format="litert", verbose=False)
    content = path.read_bytes()
    assert not _flatbuffer.custom_operators(_flatbuffer.read(content))
    for batch in (1, 3):
        answers.assert_same(model, content, sequences(batch))


def test_loop_of_keras_is_refused_with_the_remedy(tmp_path):
    model = sequential(keras.layers.RNN(ka.AddGRUCell(UNITS), return_sequences=True))
    with pytest.raises(ValueError, match=r"Use keras_addrnn.lite.convert\(model, path\)"):
        model.export(tmp_path / "model.tflite", format="litert", verbose=False)
    written = keras.layers.RNN(ka.AddGRUCell(UNITS), unroll=True)(np.zeros((1, 7, FEATURES)))
    assert written.shape == (1, UNITS)


def test_forced_op_is_refused_with_the_remedy(tmp_path):
    model = sequential(ka.AddGRU(UNITS, implementation="fused"))
    with pytest.raises(ValueError, match=r'Use keras_addrnn.lite.convert\(model, path, ops="fused'):
        model.export(tmp_path / "model.tflite", format="litert", verbose=False)
