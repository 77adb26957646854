"""Files with one `MinAddGru` operator for each layer answer as Keras does."""

import keras
import numpy as np
import pytest

import addrnn.lite
import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)
pytest.importorskip("ai_edge_litert.interpreter")

from tests.keras_addrnn.lite import answers
from tests.keras_addrnn.lite.models import FEATURES, UNITS, randomised, sequences, sequential

pytestmark = pytest.mark.fused


def assert_same(model, content, *inputs, operator_count=1):
    answers.assert_same(model, content, *inputs, interpreter=addrnn.lite.Interpreter)
    assert answers.operators(content).count("MinAddGru") == operator_count
    assert "WHILE" not in answers.operators(content)


LAYERS = {
    "last_output": lambda: ka.MinAddGRU(UNITS),
    "all_outputs": lambda: ka.MinAddGRU(UNITS, return_sequences=True),
    "one_tap": lambda: ka.MinAddGRU(UNITS, 1, return_sequences=True),
    "long_window": lambda: ka.MinAddGRU(UNITS, 9, return_sequences=True),
    "backwards": lambda: ka.MinAddGRU(UNITS, return_sequences=True, go_backwards=True),
    "linear": lambda: ka.MinAddGRU(UNITS, activation="linear"),
    "hard_tanh": lambda: ka.MinAddGRU(UNITS, activation="hard_tanh"),
    "tanh": lambda: ka.MinAddGRU(UNITS, activation="tanh", return_sequences=True),
    "no_bias": lambda: ka.MinAddGRU(UNITS, use_bias=False),
    "set_to_composed": lambda: ka.MinAddGRU(UNITS, implementation="composed"),
}


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_answers_of_layers(kind, batch_size):
    model = sequential(LAYERS[kind]())
    content = ka.lite.convert(model, ops="fused", batch_size=batch_size)
    assert_same(model, content, sequences(batch_size))
    assert answers.operators(content)[0] == "MinAddGru"


def test_bidirectional():
    model = sequential(keras.layers.Bidirectional(ka.MinAddGRU(UNITS, return_sequences=True)))
    assert_same(model, ka.lite.convert(model, ops="fused"), sequences(), operator_count=2)


def test_beside_add_gru():
    model = sequential(ka.MinAddGRU(4, return_sequences=True), ka.AddGRU(UNITS))
    content = ka.lite.convert(model, ops="fused")
    assert_same(model, content, sequences())
    assert answers.operators(content).count("AddGru") == 1


@pytest.mark.parametrize("valid", [slice(0, 4), slice(3, 7), slice(0, 0)])
def test_masking(valid):
    model = sequential(keras.layers.Masking(), ka.MinAddGRU(UNITS, return_sequences=True))
    inputs = np.zeros((2, 7, FEATURES), "float32")
    inputs[0, valid] = sequences(low=0.1)[0, valid]
    inputs[1] = sequences(seed=2, low=0.1)
    assert_same(model, ka.lite.convert(model, ops="fused", batch_size=2), inputs)


@pytest.mark.parametrize("return_sequences", [False, True])
def test_time_and_batch_stay_open(return_sequences):
    model = sequential(ka.MinAddGRU(UNITS, return_sequences=return_sequences), steps=None)
    content = ka.lite.convert(model, ops="fused", batch_size=None)
    runner = addrnn.lite.Interpreter(model_content=content).get_signature_runner()
    for batch, steps in ((1, 1), (3, 2), (1, 30), (9, 5)):
        inputs = sequences(batch, steps)
        assert_same(model, content, inputs)
        (answer,) = runner(rows=inputs).values()  # and without a new one
        np.testing.assert_allclose(answer, model(inputs), rtol=1e-5, atol=1e-6)


def test_stream():
    layers = [
        keras.Input((None, FEATURES)),
        ka.MinAddGRU(UNITS, return_sequences=True, name="first"),
        ka.MinAddGRU(4, name="second"),
    ]
    model, x = randomised(keras.Sequential(layers)), sequences(steps=9)
    content = ka.lite.convert(ka.lite.streaming_model(model), ops="fused")
    run = addrnn.lite.Interpreter(model_content=content).get_signature_runner()
    details = run.get_input_details()
    states = {n: np.zeros(d["shape"], "float32") for n, d in details.items() if n != "steps"}
    for t in range(9):
        outputs = run(steps=x[:, t : t + 1], **states)
        states = {name: outputs[name] for name in states}
        expected = np.asarray(model(x[:, : t + 1]))
        np.testing.assert_allclose(outputs["second"], expected, rtol=1e-5, atol=1e-6)


def test_weights_that_the_model_computes():
    inputs, weights = keras.Input((7, FEATURES)), keras.Input(batch_shape=(3, FEATURES, 2 * UNITS))
    model = keras.Model([inputs, weights], ka.ops.min_add_gru(inputs, weights))
    content = ka.lite.convert(model, ops="fused", batch_size=None)
    generator = np.random.default_rng(0)
    kernel = generator.normal(size=weights.shape).astype("float32")
    assert_same(model, content, sequences(2), kernel)


@pytest.mark.parametrize("kind", ["float16", "dynamic"])
def test_small_weights(kind):
    model = randomised(keras.Sequential([keras.Input((7, 8), name="x"), ka.MinAddGRU(32)]))
    content = ka.lite.convert(model, ops="fused", quantize=kind)
    plain = ka.lite.convert(model, ops="fused")
    assert len(content) < (0.75 if kind == "float16" else 0.6) * len(plain)
    assert "DEQUANTIZE" not in answers.operators(content)
    x = np.random.default_rng(1).normal(size=(1, 7, 8)).astype("float32")
    (answer,) = answers.run(content, x, interpreter=addrnn.lite.Interpreter)
    expected = np.asarray(model(x))
    limit = {"float16": 2e-3, "dynamic": 0.03}[kind] * np.abs(expected).max()
    assert 0 < np.abs(answer - expected).max() <= limit


def test_subnormal_states_become_zero():
    layer = ka.MinAddGRU(1, 1, return_sequences=True, scale_inputs=False)
    model = keras.Sequential([keras.Input((1, 1), name="rows"), layer])
    model.set_weights([np.array([[[0, 1]]]), np.zeros(2)])
    content = ka.lite.convert(model, ops="fused")
    for value, expected in ((1e-40, 0), (1e-30, 1e-30)):
        x = np.full((1, 1, 1), value, "float32")
        (answer,) = answers.run(content, x, interpreter=addrnn.lite.Interpreter)
        assert answer[0, 0, 0] == np.float32(expected)


def test_no_kernel_for_an_activation():
    with pytest.raises(ValueError, match="has nothing to fuse"):
        ka.lite.convert(sequential(ka.MinAddGRU(UNITS, activation="softplus")), ops="fused")
