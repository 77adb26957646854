"""What a converted file holds beside its operators: names, metadata, aligned weights."""

import json

import keras
import numpy as np
import pytest

import addrnn.lite
import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)
pytest.importorskip("ai_edge_litert.interpreter")

from ai_edge_litert import schema_py_generated as schema

from tests.keras_addrnn.lite.models import FEATURES, UNITS, randomised, sequences, sequential

BOTH = pytest.mark.parametrize("ops", ["builtin", pytest.param("fused", marks=pytest.mark.fused)])


def read(content):
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))


def signature(content):
    runner = addrnn.lite.Interpreter(model_content=content).get_signature_runner()
    return list(runner.get_input_details()), list(runner.get_output_details())


@BOTH
def test_signature_runs(ops):
    inputs = keras.Input((7, FEATURES), name="strokes")
    states = ka.AddGRU(UNITS)(inputs)
    classes = keras.layers.Dense(3, name="classes")(states)
    count = keras.layers.Dense(1, name="count")(states)
    model = randomised(keras.Model(inputs, [count, classes]))
    content = ka.lite.convert(model, ops=ops)
    answers = addrnn.lite.Interpreter(model_content=content).get_signature_runner(
        "serving_default"
    )(strokes=sequences())
    assert set(answers) == {"count", "classes"}
    expected = dict(zip(("count", "classes"), model(sequences()), strict=True))
    for name, answer in answers.items():
        np.testing.assert_allclose(answer, expected[name], rtol=1e-5, atol=1e-6)


@BOTH
def test_names_of_a_sequential_model(ops):
    model = keras.Sequential(
        [keras.Input((7, FEATURES), name="rows"), ka.AddGRU(UNITS, name="memory")]
    )
    assert signature(ka.lite.convert(model, ops=ops)) == (["rows"], ["memory"])


@BOTH
def test_names_of_dictionaries(ops):
    inputs = {name: keras.Input((7, FEATURES), name=name) for name in ("b", "a")}
    outputs = {"y": ka.AddGRU(UNITS)(inputs["a"]), "x": ka.AddGRU(4)(inputs["b"])}
    model = randomised(keras.Model(inputs, outputs))
    content = ka.lite.convert(model, ops=ops)
    assert [set(names) for names in signature(content)] == [{"a", "b"}, {"x", "y"}]
    a, b = sequences(seed=3), sequences(seed=4)
    answers = addrnn.lite.Interpreter(model_content=content).get_signature_runner()(a=a, b=b)
    for name, value in model({"a": a, "b": b}).items():
        np.testing.assert_allclose(answers[name], value, rtol=1e-5, atol=1e-6)


@BOTH
def test_outputs_of_one_layer_are_told_apart(ops):
    inputs = keras.Input((7, FEATURES), name="rows")
    layer = ka.AddGRU(UNITS, return_sequences=True, return_state=True, name="memory")
    model = randomised(keras.Model(inputs, layer(inputs)))
    content = ka.lite.convert(model, ops=ops)
    assert signature(content)[1] == ["memory", "memory_state"]
    answers = addrnn.lite.Interpreter(model_content=content).get_signature_runner()(
        rows=sequences()
    )
    assert answers["memory"].shape == (1, 7, UNITS) and answers["memory_state"].shape == (1, UNITS)


@BOTH
def test_one_output_twice(ops):
    inputs = keras.Input((7, FEATURES), name="rows")
    states = ka.AddGRU(UNITS, name="memory")(inputs)
    model = randomised(keras.Model(inputs, [states, states]))
    content = ka.lite.convert(model, ops=ops)
    answers = addrnn.lite.Interpreter(model_content=content).get_signature_runner()(
        rows=sequences()
    )
    np.testing.assert_array_equal(answers["memory"], answers["memory_1"])


@BOTH
def test_metadata(ops):
    file = read(ka.lite.convert(sequential(ka.AddGRU(UNITS)), ops=ops))
    (entry,) = (entry for entry in file.metadata if entry.name == b"keras_addrnn")
    facts = json.loads(bytes(file.buffers[entry.buffer].data))
    assert facts == {"ops": ops, "quantize": None, "version": ka.__version__}


@BOTH
def test_same_model_gives_same_bytes(ops, tmp_path):
    model = sequential(ka.AddGRU(UNITS, return_sequences=True), ka.AddGRU(4), keras.layers.Dense(2))
    content = ka.lite.convert(model, ops=ops)
    assert ka.lite.convert(model, ops=ops) == content
    model.save(tmp_path / "model.keras")
    keras.utils.clear_session()
    ka.AddGRU(3)(sequences())  # something else has come before
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert ka.lite.convert(loaded, ops=ops) == content


@BOTH
def test_weights_are_aligned(ops):
    content = ka.lite.convert(sequential(ka.AddGRU(64)), ops=ops)
    file = schema.Model.GetRootAsModel(content, 0)
    whole = np.frombuffer(content, np.uint8).__array_interface__["data"][0]
    sizes = 0
    for index in range(file.BuffersLength()):
        data = file.Buffers(index).DataAsNumpy()
        if isinstance(data, np.ndarray) and data.size >= 64:
            assert (data.__array_interface__["data"][0] - whole) % 64 == 0
            sizes += data.size
    assert sizes >= 4 * (FEATURES + 64) * 2 * 64
