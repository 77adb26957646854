"""Converted models answer as Keras does, and are made of builtin operators alone."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)

import tensorflow as tf

from tests.keras_addrnn.lite import answers
from tests.keras_addrnn.lite.models import (
    FEATURES,
    UNITS,
    masked,
    randomised,
    sequences,
    sequential,
    stacked,
)

pytest.importorskip("ai_edge_litert.interpreter")
schema = pytest.importorskip("ai_edge_litert.schema_py_generated")


def custom_operators(content):
    # ai_edge_litert's reading of the file, as convert's own is TensorFlow's.
    file = schema.Model.GetRootAsModel(content, 0)
    codes = [file.OperatorCodes(index) for index in range(file.OperatorCodesLength())]
    assert codes
    return [code for code in codes if code.BuiltinCode() == schema.BuiltinOperator.CUSTOM]


def operator_names(content):
    names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
    file = schema.Model.GetRootAsModel(content, 0)
    codes = [file.OperatorCodes(index) for index in range(file.OperatorCodesLength())]
    return {names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())] for code in codes}


def assert_same_answers(model, content, *inputs):
    answers.assert_same(model, content, *inputs)
    assert not custom_operators(content)


LAYERS = {
    "last_output": lambda: ka.AddGRU(UNITS),
    "all_outputs": lambda: ka.AddGRU(UNITS, return_sequences=True),
    "backwards": lambda: ka.AddGRU(UNITS, return_sequences=True, go_backwards=True),
    "unrolled": lambda: ka.AddGRU(UNITS, return_sequences=True, unroll=True),
    "shifted": lambda: ka.AddGRU(UNITS, state_shift=0.5),
    "bounded": lambda: ka.AddGRU(UNITS, state_max=0.25),
    "unbounded": lambda: ka.AddGRU(UNITS, state_max=None),
    "linear": lambda: ka.AddGRU(UNITS, activation="linear"),
    "hard_tanh": lambda: ka.AddGRU(UNITS, activation="hard_tanh", state_shift=0.5),
    "tanh": lambda: ka.AddGRU(UNITS, activation="tanh"),
    "softplus": lambda: ka.AddGRU(UNITS, activation="softplus"),
    "no_bias": lambda: ka.AddGRU(UNITS, use_bias=False),
    "dropout": lambda: ka.AddGRU(UNITS, dropout=0.5, recurrent_dropout=0.5),
    "cell": lambda: keras.layers.RNN(ka.AddGRUCell(UNITS), return_sequences=True),
    "stacked_cells": lambda: keras.layers.RNN([ka.AddGRUCell(4), ka.AddGRUCell(UNITS)]),
    "bidirectional": lambda: keras.layers.Bidirectional(ka.AddGRU(UNITS, return_sequences=True)),
}


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_answers_of_layers(kind, batch_size):
    model = sequential(LAYERS[kind]())
    content = ka.lite.convert(model, batch_size=batch_size)
    assert_same_answers(model, content, sequences(batch_size))


def test_answers_of_two_layers_with_others_around():
    model = stacked()
    assert_same_answers(model, ka.lite.convert(model), sequences())


def test_loop_and_unrolled_form():
    assert "WHILE" in operator_names(ka.lite.convert(sequential(ka.AddGRU(UNITS))))
    unrolled = sequential(ka.AddGRU(UNITS, unroll=True))
    assert "WHILE" not in operator_names(ka.lite.convert(unrolled))


@pytest.mark.parametrize("valid", [slice(0, 4), slice(3, 7), slice(2, 5), slice(0, 0)])
@pytest.mark.parametrize("zero_output_for_mask", [False, True])
def test_answers_with_masking(valid, zero_output_for_mask):
    model, inputs = masked(valid, zero_output_for_mask)
    assert_same_answers(model, ka.lite.convert(model, batch_size=2), inputs)


def test_answers_with_masked_embedding():
    model = randomised(
        keras.Sequential(
            [
                keras.Input((6,), dtype="int32"),
                keras.layers.Embedding(10, 4, mask_zero=True),
                keras.layers.Bidirectional(ka.AddGRU(UNITS)),
            ]
        )
    )
    words = np.array([[3, 1, 4, 1, 0, 0], [0, 0, 5, 9, 2, 6]], "int32")
    assert_same_answers(model, ka.lite.convert(model, batch_size=2), words)


@pytest.mark.parametrize("return_sequences", [False, True])
def test_time_axis_of_unknown_length_stays_open(return_sequences):
    model = sequential(ka.AddGRU(UNITS, return_sequences=return_sequences), steps=None)
    content = ka.lite.convert(model)
    for steps in (1, 2, 30):
        assert_same_answers(model, content, sequences(steps=steps))


def test_states_as_inputs_and_outputs():
    inputs, state = keras.Input((7, FEATURES)), keras.Input((UNITS,))
    layer = ka.AddGRU(UNITS, return_sequences=True, return_state=True)
    outputs, last = layer(inputs, initial_state=state)
    model = randomised(keras.Model([inputs, state], [last, outputs]))
    start = np.linspace(0, 1, UNITS, dtype="float32")[np.newaxis]
    assert_same_answers(model, ka.lite.convert(model), sequences(), start)


def test_inputs_given_as_a_dictionary():
    inputs = {name: keras.Input((7, FEATURES), name=name) for name in ("b", "a")}
    model = randomised(
        keras.Model(inputs, ka.AddGRU(UNITS)(inputs["a"]) + 2 * ka.AddGRU(UNITS)(inputs["b"]))
    )
    a, b = sequences(seed=3), sequences(seed=4)
    content = ka.lite.convert(model)
    expected = model({"a": a, "b": b})
    np.testing.assert_allclose(answers.run(content, a, b)[0], expected, rtol=1e-5, atol=1e-6)


def test_outputs_keep_their_order():
    inputs = keras.Input((7, FEATURES))
    state = ka.AddGRU(UNITS)(inputs)
    model = randomised(keras.Model(inputs, [state * float(factor) for factor in range(12)]))
    assert_same_answers(model, ka.lite.convert(model), sequences())


def test_functional_op():
    kernel = np.random.default_rng(5).normal(size=(FEATURES, 2 * UNITS)).astype("float32")
    recurrent = np.zeros((UNITS, 2 * UNITS), "float32")
    inputs = keras.Input((7, FEATURES))
    model = keras.Model(inputs, ka.ops.add_gru(inputs, kernel, recurrent))
    assert_same_answers(model, ka.lite.convert(model), sequences())


def test_saved_and_loaded_model(tmp_path):
    model = sequential(ka.AddGRU(UNITS))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_same_answers(model, ka.lite.convert(loaded), sequences())


def test_batch_size_that_the_model_fixes():
    inputs = keras.Input(batch_shape=(3, 7, FEATURES), name="rows")
    model = randomised(keras.Model(inputs, ka.AddGRU(UNITS)(inputs)))
    assert_same_answers(model, ka.lite.convert(model, batch_size=3), sequences(3))
    with pytest.raises(ValueError, match="`batch_size` must be 3.*'rows'.*batch_size=1"):
        ka.lite.convert(model)


def implementations(model):
    return [
        part.implementation
        for layer in model._flatten_layers()
        for part in (layer, *getattr(layer, "operations", ()))
        if hasattr(part, "implementation")
    ]


@pytest.mark.fused
@pytest.mark.parametrize("implementation", ["auto", "fused"])
def test_fused_layers_convert_and_stay_fused(implementation):
    inputs = keras.Input((7, FEATURES))
    outputs = keras.layers.Bidirectional(
        ka.AddGRU(UNITS, return_sequences=True, implementation=implementation)
    )(inputs)
    kernel = np.ones((2 * UNITS, 2 * UNITS), "float32")
    recurrent = np.zeros((UNITS, 2 * UNITS), "float32")
    outputs = ka.ops.add_gru(outputs, kernel, recurrent, implementation=implementation)
    model = randomised(keras.Model(inputs, outputs))
    assert_same_answers(model, ka.lite.convert(model), sequences())
    assert set(implementations(model)) == {implementation}
    graph = tf.function(model).get_concrete_function(tf.TensorSpec((1, 7, FEATURES))).graph
    assert "AddGru" in {operation.type for operation in graph.get_operations()}


def test_implementation_is_restored_after_a_failure():
    model = sequential(ka.AddGRU(UNITS), Failing())
    before = implementations(model)
    Failing.fails = True
    try:
        with pytest.raises(RuntimeError, match="no luck"):
            ka.lite.convert(model)
    finally:
        Failing.fails = False
    assert implementations(model) == before


class Failing(keras.layers.Layer):
    fails = False

    def call(self, inputs):
        if self.fails:
            raise RuntimeError("no luck")
        return inputs


def test_file_is_what_is_returned(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"an older one")
    content = ka.lite.convert(sequential(ka.AddGRU(UNITS)), path)
    assert path.read_bytes() == content
    assert ka.lite.convert(sequential(ka.AddGRU(UNITS)), str(path))
    assert [file.name for file in tmp_path.iterdir()] == ["model.tflite"]


def test_numpy_batch_size():
    model = sequential(ka.AddGRU(UNITS))
    assert_same_answers(model, ka.lite.convert(model, batch_size=np.int64(2)), sequences(2))


@pytest.mark.parametrize("ops", ["builtin", "fused"])
def test_the_inputs_scale_is_in_the_kernel(ops):
    scaled, x = ka.AddGRU(UNITS, name="layer"), 0.02 * sequences(2, 5)
    scaled(x, training=True)
    kernel, *others, scale = scaled.get_weights()
    assert scale > 10
    folded = ka.AddGRU(UNITS, scale_inputs=False, name="layer")
    folded.build(x.shape)
    folded.set_weights([kernel * scale, *others])

    def converted(layer):
        model = keras.Sequential([keras.Input((5, FEATURES), name="x"), layer], name="model")
        return model, ka.lite.convert(model, ops=ops)

    model, content = converted(scaled)
    assert operator_names(content) == operator_names(converted(folded)[1])
    if ops == "builtin":
        assert_same_answers(model, content, x[:1])
