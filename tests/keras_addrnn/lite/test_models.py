"""Models of other kinds: subclassed, stateful, and of the shapes of Keras' public examples."""

import keras
import numpy as np
import pytest

import addrnn.lite
import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)
pytest.importorskip("ai_edge_litert.interpreter")

from tests.keras_addrnn.lite import answers
from tests.keras_addrnn.lite.models import FEATURES, UNITS, randomised, sequences

BOTH = pytest.mark.parametrize("ops", ["builtin", pytest.param("fused", marks=pytest.mark.fused)])
FORMS = [("builtin", kind) for kind in (None, "float16", "dynamic", "int8")] + [
    pytest.param("fused", kind, marks=pytest.mark.fused) for kind in (None, "float16", "dynamic")
]


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.memory = ka.AddGRU(UNITS)
        self.head = keras.layers.Dense(2)

    def call(self, inputs, training=False):
        if isinstance(inputs, dict):
            inputs = inputs["a"] - inputs["b"]
        return {"y": self.head(self.memory(inputs))}


def runner(content):
    return addrnn.lite.Interpreter(model_content=content).get_signature_runner()


@BOTH
def test_subclassed_model_that_was_called(ops):
    model, inputs = Subclassed(), sequences(4)
    expected = model(inputs)["y"][:1]
    run = runner(ka.lite.convert(model, ops=ops))
    np.testing.assert_allclose(run(input=inputs[:1])["y"], expected, rtol=1e-5, atol=1e-6)


def test_subclassed_model_with_a_dictionary():
    model, a, b = Subclassed(), sequences(seed=3), sequences(seed=4)
    expected = model({"b": b, "a": a})["y"]
    run = runner(ka.lite.convert(model))
    np.testing.assert_allclose(run(a=a, b=b)["y"], expected, rtol=1e-5, atol=1e-6)


def test_data_tell_the_inputs_of_a_subclassed_model():
    class Words(keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding = keras.layers.Embedding(10, 4, mask_zero=True)
            self.memory = ka.AddGRU(UNITS)

        def call(self, inputs):
            return self.memory(self.embedding(inputs))

    model, words = Words(), np.array([[3, 1, 4, 1, 0]], "int32")
    expected = model(words[:, :2])  # shorter than what the file takes
    expected = model(words)
    run = runner(ka.lite.convert(model, representative_data=words))
    assert run.get_input_details()["input"]["dtype"] == np.int32
    np.testing.assert_allclose(run(input=words)["output"], expected, rtol=1e-5, atol=1e-6)


@BOTH
def test_state_of_a_stateful_layer_is_input_and_output(ops):
    inputs = keras.Input(batch_shape=(1, 3, FEATURES), name="rows")
    states = ka.AddGRU(UNITS, stateful=True, return_sequences=True, name="first")(inputs)
    states = keras.layers.RNN(ka.AddGRUCell(4), stateful=True, name="second")(states)
    model = randomised(keras.Model(inputs, keras.layers.Dense(2, name="answer")(states)))
    run = runner(ka.lite.convert(model, ops=ops))
    kept = {"first_state": (1, UNITS), "second_state": (1, 4)}
    assert set(run.get_input_details()) == {"rows", *kept}
    assert set(run.get_output_details()) == {"answer", *kept}
    kept = {name: np.zeros(shape, "float32") for name, shape in kept.items()}
    for seed in range(3):
        rows = sequences(1, 3, seed=seed)
        got = run(rows=rows, **kept)
        kept = {name: got[name] for name in kept}
        np.testing.assert_allclose(got["answer"], model(rows), rtol=1e-5, atol=1e-5)


class Stateful(Subclassed):
    def __init__(self):
        super().__init__()
        self.memory = ka.AddGRU(UNITS, stateful=True, state_max=2.0, name="memory")


def functional_stateful():
    rows = keras.Input(batch_shape=(2, 3, FEATURES), name="input")
    layer = ka.AddGRU(UNITS, stateful=True, state_max=2.0, name="memory")
    return keras.Model(rows, {"y": keras.layers.Dense(2)(layer(rows))})


@pytest.mark.parametrize("make", [Stateful, functional_stateful])
@pytest.mark.parametrize("quantize", [None, "int8", "int16x8"])
def test_stateful_model_with_data_of_its_own_inputs(make, quantize):
    model, data = make(), sequences(20, 3)
    model(data[:2])
    randomised(model)
    content = ka.lite.convert(model, batch_size=2, quantize=quantize, representative_data=data)
    run, state = runner(content), np.zeros((2, UNITS), "float32")
    assert set(run.get_input_details()) == {"input", "memory_state"}
    model.memory.reset_state() if make is Stateful else model.get_layer("memory").reset_state()
    tolerance = {None: 1e-5, "int8": 0.1, "int16x8": 0.02}[quantize]
    for begin in range(0, 20, 2):  # the states go on from call to call, as in model.predict
        rows = data[begin : begin + 2]
        got = run(input=rows, memory_state=state)
        state = got["memory_state"]
        expected = np.asarray(model(rows)["y"])
        np.testing.assert_allclose(got["y"], expected, rtol=0, atol=tolerance * 4)
    assert state.max() > 0.5


def test_stateful_subclassed_model_whose_shapes_keras_does_not_keep():
    model = Stateful()
    model(sequences(2, 3))
    with pytest.raises(ValueError, match="stateful.*samples of its inputs.*representative_data"):
        ka.lite.convert(model, batch_size=2)
    for batch_size in (1, 3):
        with pytest.raises(ValueError, match="`batch_size` must be 2.*'memory'"):
            ka.lite.convert(model, batch_size=batch_size, representative_data=sequences(2, 3))


def test_returned_state_is_named_as_a_state():
    rows, state = (
        keras.Input((3, FEATURES), name="rows"),
        keras.Input((UNITS,), name="memory_state"),
    )
    layer = ka.AddGRU(UNITS, return_sequences=True, return_state=True, name="memory")
    outputs, last = layer(rows, initial_state=state)
    _, *both = keras.layers.LSTM(2, return_state=True, name="lstm")(outputs)
    model = keras.Model([rows, state], [*both, last, outputs])
    run = runner(ka.lite.convert(model))
    assert set(run.get_output_details()) == {"lstm_state", "lstm_state_1", "memory_state", "memory"}


def assert_near(model, content, inputs, tolerance):
    expected = np.asarray(model(inputs, training=False))
    got = [
        answers.run(content, row[np.newaxis], interpreter=addrnn.lite.Interpreter) for row in inputs
    ]
    got = np.concatenate([answer for (answer,) in got])
    assert np.abs(got - expected).max() <= tolerance


def text_classification():
    """Embedding, two bidirectional layers, a dense one: Keras' IMDB example with AddGRU."""
    words = keras.Input((12,), dtype="int32")
    x = keras.layers.Embedding(50, 16)(words)
    x = keras.layers.Bidirectional(ka.AddGRU(8, return_sequences=True, state_max=2.0))(x)
    x = keras.layers.Bidirectional(ka.AddGRU(8, state_max=2.0))(x)
    model = keras.Model(words, keras.layers.Dense(1, activation="sigmoid")(x))
    return model, np.random.default_rng(0).integers(0, 50, (32, 12)).astype("int32")


def text_recognition():
    """Convolutions over an image, then over its columns two layers: Keras' OCR example."""
    image = keras.Input((24, 8, 1))
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Reshape((12, 32))(x)
    x = keras.layers.Dense(16, activation="relu")(x)
    x = keras.layers.Dropout(0.2)(x)
    x = keras.layers.Bidirectional(ka.AddGRU(8, return_sequences=True, state_max=2.0))(x)
    x = keras.layers.Bidirectional(ka.AddGRU(6, return_sequences=True, state_max=2.0))(x)
    model = keras.Model(image, keras.layers.Dense(11, activation="softmax")(x))
    return model, np.random.default_rng(0).random((32, 24, 8, 1)).astype("float32")


@pytest.mark.parametrize("example", [text_classification, text_recognition])
@pytest.mark.parametrize(("ops", "kind"), FORMS)
def test_public_examples(example, ops, kind):
    model, inputs = example()
    content = ka.lite.convert(model, ops=ops, quantize=kind, representative_data=inputs)
    # Of probabilities.
    assert_near(
        model, content, inputs[:4], {None: 1e-5, "float16": 2e-3, "dynamic": 0.02}.get(kind, 0.06)
    )
