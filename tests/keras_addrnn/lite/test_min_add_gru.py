"""MinAddGRU in LiteRT's builtin operators: no loop, no operator of ours, the same numbers."""

import math

import keras
import numpy as np
import pytest

import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)
pytest.importorskip("ai_edge_litert.interpreter")

from keras_addrnn.ops import _lowering
from tests.keras_addrnn.lite import answers
from tests.keras_addrnn.lite.models import FEATURES, UNITS, randomised, sequences, sequential

# For a fixed number of steps, in float32 and with weights in int8.
OPERATORS = {
    "ADD",
    "CONCATENATION",
    "FULLY_CONNECTED",
    "MAXIMUM",
    "NEG",
    "PAD",
    "RELU",
    "RESHAPE",
    "SPLIT",
    "STRIDED_SLICE",
    "SUB",
}
INTEGERS = ("int8", "int16x8")
# Of the largest output: 11 bits of mantissa; 7 bits of weight; 7 bits of everything.
TOLERANCE = {"float16": 2e-3, "dynamic": 0.03, "int16x8": 0.02, "int8": 0.05}
EVERY_OUTPUT = pytest.mark.parametrize("return_sequences", [False, True])


def assert_same(model, content, *inputs, also=()):
    answers.assert_same(model, content, *inputs)
    assert set(answers.operators(content)) <= OPERATORS.union(also)


@EVERY_OUTPUT
@pytest.mark.parametrize("kernel_size", [1, 3])
@pytest.mark.parametrize("steps", [1, 2, 5, 28, 100])
def test_one_product_and_two_rounds_for_each_doubling(steps, kernel_size, return_sequences):
    layer = ka.MinAddGRU(UNITS, kernel_size, return_sequences=return_sequences)
    model = sequential(layer, steps=steps)
    content = ka.lite.convert(model)
    assert_same(model, content, sequences(steps=steps))
    names = answers.operators(content)
    assert names.count("FULLY_CONNECTED") == 1
    rounds = math.ceil(math.log2(steps))
    # On the way back the first state of all is known already.
    assert names.count("MAXIMUM") == rounds + (max(rounds - 1, 0) if return_sequences else 0)


LAYERS = {
    "backwards": lambda: ka.MinAddGRU(UNITS, go_backwards=True, return_sequences=True),
    "last_backwards": lambda: ka.MinAddGRU(UNITS, go_backwards=True),
    "linear": lambda: ka.MinAddGRU(UNITS, activation="linear"),
    "hard_tanh": lambda: ka.MinAddGRU(UNITS, activation="hard_tanh"),
    "tanh": lambda: ka.MinAddGRU(UNITS, activation="tanh", return_sequences=True),
    "softplus": lambda: ka.MinAddGRU(UNITS, activation="softplus"),
    "no_bias": lambda: ka.MinAddGRU(UNITS, use_bias=False, return_sequences=True),
    "dropout": lambda: ka.MinAddGRU(UNITS, dropout=0.5),
    "long_window": lambda: ka.MinAddGRU(UNITS, 9, return_sequences=True),
    "set_to_composed": lambda: ka.MinAddGRU(UNITS, implementation="composed"),
    "bidirectional": lambda: keras.layers.Bidirectional(ka.MinAddGRU(UNITS, return_sequences=True)),
}
MORE_OPERATORS = {
    "backwards": {"REVERSE_V2"},
    "last_backwards": {"REVERSE_V2"},
    "bidirectional": {"REVERSE_V2"},
    "hard_tanh": {"ABS", "GREATER_EQUAL", "SELECT", "SIGN"},
    "tanh": {"TANH"},
    "softplus": {"EXP", "LOG", "SELECT_V2", "LESS", "GREATER"},
}


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_answers_of_layers(kind, batch_size):
    model = sequential(LAYERS[kind]())
    content = ka.lite.convert(model, batch_size=batch_size)
    assert_same(model, content, sequences(batch_size), also=MORE_OPERATORS.get(kind, ()))


def stacked(steps=7, masking=False, **kwargs):
    return sequential(
        *([keras.layers.Masking()] if masking else []),
        ka.MinAddGRU(4, return_sequences=True, **kwargs),
        keras.layers.LayerNormalization(),
        ka.MinAddGRU(UNITS),
        keras.layers.Dense(2),
        steps=steps,
    )


def test_two_layers_with_others_around():
    model = stacked()
    names = answers.operators(ka.lite.convert(model))
    assert "WHILE" not in names and "TRANSPOSE" not in names and "GATHER" not in names
    answers.assert_same(model, ka.lite.convert(model), sequences())


@pytest.mark.parametrize("valid", [slice(0, 4), slice(3, 7), slice(2, 5), slice(0, 0)])
@pytest.mark.parametrize("zero_output_for_mask", [False, True])
def test_masking(valid, zero_output_for_mask):
    model = stacked(masking=True, zero_output_for_mask=zero_output_for_mask)
    inputs = np.zeros((2, 7, FEATURES), "float32")
    inputs[0, valid] = sequences(low=0.1)[0, valid]
    inputs[1] = sequences(seed=2, low=0.1)
    content = ka.lite.convert(model, batch_size=2)
    answers.assert_same(model, content, inputs)
    assert "WHILE" not in answers.operators(content)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_states_as_inputs_and_outputs(steps):
    inputs, state = keras.Input((steps, FEATURES)), keras.Input((UNITS,))
    before = keras.Input((2, FEATURES))
    layer = ka.MinAddGRU(UNITS, return_sequences=True, return_state=True, name="gru")
    outputs = layer(inputs, initial_state=[state, before])
    model = randomised(keras.Model([inputs, state, before], outputs))
    start = np.linspace(-1, 1, UNITS, dtype="float32")[np.newaxis]
    content = ka.lite.convert(model)
    assert_same(model, content, sequences(steps=steps), start, sequences(steps=2, seed=3))
    assert output_names(content) == {"gru", "gru_state", "gru_last_inputs"}


def output_names(content):
    interpreter = answers.ai_edge_litert.interpreter.Interpreter(model_content=content)
    return set(interpreter.get_signature_runner().get_output_details())


def test_stateful_layer():
    inputs = keras.Input(batch_shape=(2, 7, FEATURES), name="rows")
    model = keras.Model(inputs, ka.MinAddGRU(UNITS, stateful=True, name="gru")(inputs))
    randomised(model)
    content = ka.lite.convert(model, batch_size=2)
    assert output_names(content) == {"gru", "gru_state", "gru_last_inputs"}
    interpreter = answers.ai_edge_litert.interpreter.Interpreter(model_content=content)
    run, states = interpreter.get_signature_runner(), {}
    states = {
        "gru_state": np.zeros((2, UNITS), "float32"),
        "gru_last_inputs": np.zeros((2, 2, FEATURES), "float32"),
    }
    for seed in range(3):
        x = sequences(2, seed=seed)
        outputs = run(rows=x, **states)
        states = {name: outputs[name] for name in states}
        np.testing.assert_allclose(outputs["gru"], model(x), rtol=1e-5, atol=1e-6)


def test_functional_op():
    kernel = np.random.default_rng(5).normal(size=(3, FEATURES, 2 * UNITS)).astype("float32")
    inputs = keras.Input((7, FEATURES))
    model = keras.Model(inputs, ka.ops.min_add_gru(inputs, kernel))
    assert_same(model, ka.lite.convert(model), sequences())


@EVERY_OUTPUT
def test_open_batch(return_sequences):
    model = sequential(ka.MinAddGRU(UNITS, return_sequences=return_sequences))
    content = ka.lite.convert(model, batch_size=None)
    for batch in (1, 4):
        assert_same(model, content, sequences(batch))


@EVERY_OUTPUT
@pytest.mark.parametrize("go_backwards", [False, True])
def test_open_number_of_steps(go_backwards, return_sequences):
    layer = ka.MinAddGRU(UNITS, return_sequences=return_sequences, go_backwards=go_backwards)
    model = sequential(layer, steps=None)
    content = ka.lite.convert(model)
    for steps in (1, 2, 5, 30, 100):
        answers.assert_same(model, content, sequences(steps=steps))
    assert answers.operators(content).count("WHILE") == 1
    with pytest.raises(TypeError, match="where the model has a loop.*batch_size=None"):
        ka.lite.convert(model, batch_size=None)


def test_open_number_of_steps_after_a_resize():
    model = sequential(ka.MinAddGRU(UNITS), steps=None)
    interpreter = answers.ai_edge_litert.interpreter.Interpreter(
        model_content=ka.lite.convert(model)
    )
    run = interpreter.get_signature_runner()
    for steps in (3, 40, 1, 28):
        (answer,) = run(rows=sequences(steps=steps)).values()
        np.testing.assert_allclose(answer, model(sequences(steps=steps)), rtol=1e-5, atol=1e-6)


def assert_near(model, content, inputs, tolerance):
    with _lowering.scope(fused_operator=False, integer_operations=False):
        expected = np.asarray(model(inputs, training=False))
    got = np.concatenate([answers.run(content, row[None])[0] for row in inputs])
    assert np.abs(expected).max() > 0.05
    assert np.abs(got - expected).max() <= tolerance * np.abs(expected).max()


QUANTIZED = {
    "all_outputs": lambda: sequential(ka.MinAddGRU(UNITS, return_sequences=True)),
    "one_tap": lambda: sequential(ka.MinAddGRU(UNITS, 1, return_sequences=True)),
    "backwards": lambda: sequential(ka.MinAddGRU(UNITS, go_backwards=True)),
    "hard_tanh": lambda: sequential(ka.MinAddGRU(UNITS, activation="hard_tanh")),
    "tanh": lambda: sequential(ka.MinAddGRU(UNITS, activation="tanh")),
    "bidirectional": lambda: sequential(
        keras.layers.Bidirectional(ka.MinAddGRU(UNITS, return_sequences=True))
    ),
    "with_others": stacked,
}


@pytest.mark.parametrize("kind", TOLERANCE)
@pytest.mark.parametrize("name", QUANTIZED)
def test_quantized(name, kind):
    if (name, kind) == ("with_others", "int16x8"):
        pytest.skip("LayerNormalization has no int16")
    model = QUANTIZED[name]()
    data = sequences(512, seed=5)  # so many that the ranges hold those of others
    content = ka.lite.convert(model, quantize=kind, representative_data=data)
    # LayerNormalization divides the error by a deviation, which may be small.
    tolerance = TOLERANCE[kind] * (3 if name == "with_others" else 1)
    assert_near(model, content, sequences(16, seed=6), tolerance)
    assert "WHILE" not in answers.operators(content)


@pytest.mark.parametrize("kind", INTEGERS)
@EVERY_OUTPUT
def test_integers_are_all_that_is_computed_in(return_sequences, kind):
    model = sequential(ka.MinAddGRU(UNITS, return_sequences=return_sequences), steps=28)
    data = sequences(64, steps=28, seed=5)
    content = ka.lite.convert(model, quantize=kind, representative_data=data)
    first, *names, last = answers.operators(content)
    assert (first, last) == ("QUANTIZE", "DEQUANTIZE")
    assert set(names) <= OPERATORS  # and what the state is stored in has one scale


@pytest.mark.parametrize(("kind", "tolerance"), [("int8", 0.05), ("int16x8", 5e-3)])
def test_fading_takes_no_range_from_others(kind, tolerance):
    """Some units forget at once, by large numbers that sum up; others keep."""
    layer = ka.MinAddGRU(2, 1, return_sequences=True, scale_inputs=False)
    model = keras.Sequential([keras.Input((64, 1), name="rows"), layer])
    # The first fades by 2 a step, and the second by 1/64.
    model.set_weights([np.array([[[0, 0, 1, 1]]]), np.array([-2, -1 / 64, 0, 0])])
    x = np.random.default_rng(0).uniform(0, 1, (50, 64, 1)).astype("float32")
    x[:, 5:] *= 0.2
    content = ka.lite.convert(model, quantize=kind, representative_data=x)
    assert_near(model, content, x[:8], tolerance)


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_of_an_open_number_of_steps_are_refused(kind):
    model = sequential(ka.MinAddGRU(UNITS), steps=None)
    with pytest.raises(ValueError, match="no loop over steps.*fix their number"):
        ka.lite.convert(model, quantize=kind, representative_data=sequences(8))


def test_dynamic_of_an_open_number_of_steps():
    model = sequential(ka.MinAddGRU(UNITS), steps=None)
    content = ka.lite.convert(model, quantize="dynamic")
    for steps in (1, 7, 30):
        assert_near(model, content, sequences(steps=steps, batch=3), TOLERANCE["dynamic"])
