"""A file whose steps are open gives what the model gives, at every length; or there is no file."""

import keras
import numpy as np
import pytest

import addrnn.lite
import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)
pytest.importorskip("ai_edge_litert.interpreter")

from keras_addrnn.lite import _converter_process
from tests.keras_addrnn.lite import answers
from tests.keras_addrnn.lite.models import FEATURES, UNITS, sequences, sequential

BOTH = pytest.mark.parametrize("ops", ["builtin", pytest.param("fused", marks=pytest.mark.fused)])


def every_step(*after):
    return (
        ka.AddGRU(UNITS, return_sequences=True),
        keras.layers.TimeDistributed(keras.layers.Dense(2), name="each"),
        *after,
    )


@BOTH
@pytest.mark.parametrize("quantize", [None, "dynamic"])
def test_time_distributed_is_refused(ops, quantize, tmp_path):
    path = tmp_path / "model.tflite"
    model = sequential(*every_step(), steps=None)
    message = r"'each' has the shape \(1, 1, 2\) instead of.*do without TimeDistributed"
    with pytest.raises(ValueError, match=message) as caught:
        ka.lite.convert(model, path, ops=ops, quantize=quantize)
    assert "\n" not in str(caught.value)
    assert not path.exists()


@pytest.mark.parametrize("quantize", [None, "float16"])
def test_wrong_numbers_of_the_right_shape_are_refused(quantize):
    model = sequential(*every_step(keras.layers.GlobalAveragePooling1D()), steps=None)
    with pytest.raises(ValueError, match="other values.*TimeDistributed .'each'"):
        ka.lite.convert(model, quantize=quantize)


@BOTH
def test_time_distributed_over_a_fixed_number_of_steps(ops):
    model = sequential(*every_step())
    content = ka.lite.convert(model, ops=ops)
    answers.assert_same(model, content, sequences(), interpreter=addrnn.lite.Interpreter)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: keras.layers.Conv1D(4, 5),  # needs more steps than the least that are tried
        lambda: keras.layers.MaxPooling1D(2, padding="same"),
        lambda: keras.layers.UpSampling1D(2),
        lambda: keras.layers.GlobalAveragePooling1D(),
        lambda: keras.layers.Reshape((-1, 1, FEATURES)),
    ],
)
def test_other_layers_stay_open(layer):
    model = sequential(layer(), steps=None)
    content = ka.lite.convert(model)
    for steps in (6, 11):
        answers.assert_same(model, content, sequences(steps=steps))


def test_words_and_masks_of_open_length():
    words, mask = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="bool")
    rows = keras.layers.Embedding(2, 4)(words)
    model = keras.Model([words, mask], ka.AddGRU(UNITS)(rows, mask=mask))
    given = np.array([[1, 0, 1, 1, 0]], "int32"), np.array([[True, True, False, True, False]])
    answers.assert_same(model, ka.lite.convert(model), *given)


@pytest.mark.fused
def test_open_batch_is_tried_too(monkeypatch):
    tried, original = [], _converter_process.run

    def run(content, inputs, **kwargs):
        tried.append([array.shape for array in inputs])
        return original(content, inputs, **kwargs)

    monkeypatch.setattr(_converter_process, "run", run)
    ka.lite.convert(sequential(ka.AddGRU(UNITS)), ops="fused", batch_size=None)
    assert len(tried) == 2 and len({shape[0] for (shape,) in tried}) == 2
    tried.clear()
    ka.lite.convert(sequential(ka.AddGRU(UNITS)), ops="fused")
    assert not tried


def test_file_that_litert_does_not_run_is_refused(monkeypatch):
    def run(*_, **__):
        raise _converter_process.ConversionError("no luck")

    monkeypatch.setattr(_converter_process, "run", run)
    with pytest.raises(ValueError, match="no luck.*fixes their number") as caught:
        ka.lite.convert(sequential(ka.AddGRU(UNITS), steps=None))
    assert "TimeDistributed" not in str(caught.value)
