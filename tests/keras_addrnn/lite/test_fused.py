"""Files with one `AddGru` operator for each layer answer as Keras does."""

import threading
import time

import keras
import numpy as np
import pytest

import addrnn.lite
import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)
pytest.importorskip("ai_edge_litert.interpreter")

from ai_edge_litert import schema_py_generated as schema

from keras_addrnn.ops import _fused
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

pytestmark = pytest.mark.fused


def operators(content):
    """The names of the operators, in the order of the file."""
    names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
    file = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    codes = [
        code.customCode.decode() if code.customCode else names[code.builtinCode]
        for code in file.operatorCodes
    ]
    return [codes[node.opcodeIndex] for graph in file.subgraphs for node in graph.operators]


def assert_same_answers(model, content, *inputs, operator_count=1):
    answers.assert_same(model, content, *inputs, interpreter=addrnn.lite.Interpreter)
    assert operators(content).count("AddGru") == operator_count
    assert "WHILE" not in operators(content)


LAYERS = {
    "last_output": lambda: ka.AddGRU(UNITS),
    "all_outputs": lambda: ka.AddGRU(UNITS, return_sequences=True),
    "backwards": lambda: ka.AddGRU(UNITS, return_sequences=True, go_backwards=True),
    "shifted": lambda: ka.AddGRU(UNITS, state_shift=0.5),
    "bounded": lambda: ka.AddGRU(UNITS, state_max=0.25),
    "unbounded": lambda: ka.AddGRU(UNITS, state_max=None),
    "linear": lambda: ka.AddGRU(UNITS, activation="linear"),
    "hard_tanh": lambda: ka.AddGRU(UNITS, activation="hard_tanh", state_shift=0.5, state_max=2),
    "tanh": lambda: ka.AddGRU(UNITS, activation="tanh", return_sequences=True),
    "no_bias": lambda: ka.AddGRU(UNITS, use_bias=False),
    "dropout": lambda: ka.AddGRU(UNITS, dropout=0.5, recurrent_dropout=0.5),
    "set_to_fused": lambda: ka.AddGRU(UNITS, implementation="fused"),
    "set_to_composed": lambda: ka.AddGRU(UNITS, implementation="composed"),
}


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_answers_of_layers(kind, batch_size):
    model = sequential(LAYERS[kind]())
    content = ka.lite.convert(model, ops="fused", batch_size=batch_size)
    assert_same_answers(model, content, sequences(batch_size))
    assert operators(content)[0] == "AddGru"  # and no operators that make it a state of zeros


def test_bidirectional():
    model = sequential(keras.layers.Bidirectional(ka.AddGRU(UNITS, return_sequences=True)))
    assert_same_answers(model, ka.lite.convert(model, ops="fused"), sequences(), operator_count=2)


def test_stacked_with_other_layers_around():
    model = stacked()
    assert_same_answers(model, ka.lite.convert(model, ops="fused"), sequences(), operator_count=2)


@pytest.mark.parametrize("valid", [slice(0, 4), slice(3, 7), slice(2, 5), slice(0, 0)])
@pytest.mark.parametrize("zero_output_for_mask", [False, True])
def test_masking(valid, zero_output_for_mask):
    model, inputs = masked(valid, zero_output_for_mask)
    content = ka.lite.convert(model, ops="fused", batch_size=2)
    assert_same_answers(model, content, inputs, operator_count=2)


def test_masked_embedding():
    words = keras.Input((6,), dtype="int32")
    vectors = keras.layers.Embedding(10, 4, mask_zero=True)(words)
    model = randomised(keras.Model(words, keras.layers.Bidirectional(ka.AddGRU(UNITS))(vectors)))
    inputs = np.array([[3, 1, 4, 1, 0, 0], [0, 0, 5, 9, 2, 6]], "int32")
    content = ka.lite.convert(model, ops="fused", batch_size=2)
    assert_same_answers(model, content, inputs, operator_count=2)


@pytest.mark.parametrize("return_sequences", [False, True])
def test_time_and_batch_stay_open(return_sequences):
    model = sequential(ka.AddGRU(UNITS, return_sequences=return_sequences), steps=None)
    content = ka.lite.convert(model, ops="fused", batch_size=None)
    interpreter = addrnn.lite.Interpreter(model_content=content)
    runner = interpreter.get_signature_runner()
    for batch, steps in ((1, 1), (3, 2), (1, 30), (9, 5)):
        inputs = sequences(batch, steps)
        assert_same_answers(model, content, inputs)
        (answer,) = runner(rows=inputs).values()  # and without a new one
        np.testing.assert_allclose(answer, model(inputs), rtol=1e-5, atol=1e-6)


def test_steps_that_only_a_run_can_tell():
    inputs = keras.Input((7, FEATURES))
    steps = keras.Input((), dtype="int32")
    outputs = ka.AddGRU(UNITS, return_sequences=True)(First()([inputs, steps]))
    model = randomised(keras.Model([inputs, steps], ka.AddGRU(4)(outputs)))
    content = ka.lite.convert(model, ops="fused")
    for count in (3, 7, 1):
        assert_same_answers(
            model, content, sequences(), np.array([count], "int32"), operator_count=2
        )


@keras.saving.register_keras_serializable()
class First(keras.layers.Layer):
    """The first steps of a sequence, as many as the second input says."""

    def call(self, inputs):
        sequence, steps = inputs
        return sequence[:, : steps[0]]

    def compute_output_shape(self, input_shape):
        (batch, _, features), _ = input_shape
        return batch, None, features


def test_states_as_inputs_and_outputs():
    inputs, state = keras.Input((7, FEATURES)), keras.Input((UNITS,))
    layer = ka.AddGRU(UNITS, return_sequences=True, return_state=True)
    outputs, last = layer(inputs, initial_state=state)
    model = randomised(keras.Model([inputs, state], [last, outputs]))
    start = np.linspace(0, 1, UNITS, dtype="float32")[np.newaxis]
    assert_same_answers(model, ka.lite.convert(model, ops="fused"), sequences(), start)


def test_functional_op():
    kernel = np.random.default_rng(5).normal(size=(FEATURES, 2 * UNITS)).astype("float32")
    recurrent = np.zeros((UNITS, 2 * UNITS), "float32")
    inputs = keras.Input((7, FEATURES))
    model = keras.Model(inputs, ka.ops.add_gru(inputs, kernel, recurrent))
    assert_same_answers(model, ka.lite.convert(model, ops="fused"), sequences())


@pytest.mark.parametrize("units, features, batch", [(64, 40, 1), (130, 28, 8), (33, 7, 5)])
def test_larger_ones(units, features, batch):
    inputs = keras.Input((50, features), name="rows")
    layer = ka.AddGRU(units, return_sequences=True, implementation="composed")
    model = keras.Model(inputs, layer(inputs))
    content = ka.lite.convert(model, ops="fused", batch_size=None)
    values = np.random.default_rng(0).normal(size=(batch, 50, features)).astype("float32")
    expected = np.asarray(model(values))
    (answer,) = answers.run(content, values, interpreter=addrnn.lite.Interpreter)
    assert np.abs(answer - expected).max() <= 1e-5 * np.abs(expected).max()
    results = []
    for threads in (1, 2, 3):
        interpreter = addrnn.lite.Interpreter(model_content=content, num_threads=threads)
        (result,) = interpreter.get_signature_runner()(rows=values).values()
        results.append(result)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_what_has_no_kernel_stays_builtin():
    model = sequential(
        ka.AddGRU(UNITS, return_sequences=True),
        ka.AddGRU(4, return_sequences=True, activation="softplus"),
        keras.layers.RNN(ka.AddGRUCell(4), return_sequences=True),
        ka.AddGRU(4, unroll=True),
    )
    content = ka.lite.convert(model, ops="fused")
    answers.assert_same(model, content, sequences(), interpreter=addrnn.lite.Interpreter)
    assert operators(content).count("AddGru") == 1
    assert operators(content).count("WHILE") == 2


def test_fused_file_is_smaller():
    model = sequential(ka.AddGRU(64))
    assert len(ka.lite.convert(model, ops="fused")) < len(ka.lite.convert(model))


def test_implementations_are_restored():
    layers = [LAYERS[kind]() for kind in ("last_output", "set_to_fused", "set_to_composed")]
    inputs = keras.Input((7, FEATURES))
    model = keras.Model(inputs, [layer(inputs) for layer in layers])
    ka.lite.convert(model, ops="fused")
    assert [layer.implementation for layer in layers] == ["auto", "fused", "composed"]


@pytest.mark.parametrize(
    "layer",
    [
        lambda: keras.layers.GRU(UNITS),
        lambda: ka.AddGRU(UNITS, activation="softplus"),
        lambda: keras.layers.RNN(ka.AddGRUCell(UNITS)),
    ],
)
def test_nothing_to_fuse(layer):
    with pytest.raises(ValueError, match='has nothing to fuse: .*ops="builtin"'):
        ka.lite.convert(sequential(layer()), ops="fused")


def test_missing_op_is_told(monkeypatch):
    monkeypatch.setattr(_fused, "missing", lambda: "its library is missing. Build it.")
    with pytest.raises(
        ValueError, match="needs the project's fused op for TensorFlow: its library is missing."
    ):
        ka.lite.convert(sequential(ka.AddGRU(UNITS)), ops="fused")


@pytest.mark.parametrize("ops", ["Fused", None, 1])
def test_wrong_ops(ops):
    with pytest.raises(
        ValueError, match="`ops` must be one of .'builtin', 'fused'.*Received: ops="
    ):
        ka.lite.convert(sequential(ka.AddGRU(UNITS)), ops=ops)


def test_other_types_than_float32_are_refused():
    model = sequential(ka.AddGRU(UNITS, dtype="mixed_float16", name="memory"))
    with pytest.raises(ValueError, match="'memory' computes in float16.*float32"):
        ka.lite.convert(model, ops="fused")


def test_operator_of_tensorflow_is_refused():
    inputs = keras.Input((4, 4))
    model = keras.Model(inputs, [keras.ops.svd(inputs)[1], ka.AddGRU(2)(inputs)], name="svd")
    with pytest.raises(
        ValueError, match="'svd' does not convert to builtin, AddGru and MinAddGru.*Svd"
    ):
        ka.lite.convert(model, ops="fused")


def test_interpreter_without_the_delegate_says_what_is_missing():
    content = ka.lite.convert(sequential(ka.AddGRU(UNITS)), ops="fused")
    with pytest.raises(RuntimeError, match="custom op: AddGru"):
        answers.run(content, sequences())


class Slow(keras.layers.Layer):
    """Takes its time where it is traced, so that two traces would meet."""

    def call(self, inputs):
        time.sleep(0.3)
        return inputs


def test_threads_may_convert_one_model():
    model, found = sequential(Slow(), ka.AddGRU(UNITS)), {}

    def convert(ops):
        found[ops] = operators(ka.lite.convert(model, ops=ops))

    threads = [threading.Thread(target=convert, args=(ops,)) for ops in ("fused", "builtin")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "AddGru" in found["fused"] and "WHILE" not in found["fused"]
    assert "AddGru" not in found["builtin"] and "WHILE" in found["builtin"]
    assert model.layers[-1].implementation == "auto"
