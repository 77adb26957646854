"""Quantised files: what they hold, how far from Keras they answer, what is refused."""

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

from keras_addrnn.lite import _converter_process, _fused_operators
from keras_addrnn.ops import _lowering
from tests.keras_addrnn.lite import answers
from tests.keras_addrnn.lite.models import (
    FEATURES,
    UNITS,
    randomised,
    sequences,
    sequential,
    stacked,
)

INTEGERS = ("int8", "int16x8")
KINDS = [("builtin", kind) for kind in ("float16", "dynamic", *INTEGERS)] + [
    pytest.param("fused", kind, marks=pytest.mark.fused) for kind in ("float16", "dynamic")
]
# Of the largest output: 11 bits of mantissa; 7 bits of weight, and ranges of other samples; 7 bits
# of everything, at each step.
TOLERANCE = {"float16": 2e-3, "dynamic": 0.03, "int16x8": 0.05, "int8": 0.1}
EVERY = pytest.mark.parametrize(("ops", "kind"), KINDS)


def read(content):
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))


def operators(content):
    file = read(content)
    names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
    codes = [
        c.customCode.decode() if c.customCode else names[c.builtinCode] for c in file.operatorCodes
    ]
    return [codes[node.opcodeIndex] for graph in file.subgraphs for node in graph.operators]


def samples(batch=64, seed=5):
    return sequences(batch, seed=seed)


def assert_near(model, content, inputs, tolerance):
    with _lowering.scope(fused_operator=False, integer_operations=False):
        expected = np.asarray(model(inputs, training=False))
    interpreter = addrnn.lite.Interpreter(model_content=content, num_threads=1)
    runner = interpreter.get_signature_runner()
    (name,) = runner.get_input_details()
    got = np.concatenate([next(iter(runner(**{name: row[None]}).values())) for row in inputs])
    assert np.abs(expected).max() > 0.05
    assert np.abs(got - expected).max() <= tolerance * np.abs(expected).max()


def bounded(**kwargs):
    return ka.AddGRU(UNITS, state_max=2.0, **kwargs)


MODELS = {
    "all_outputs": lambda: sequential(bounded(return_sequences=True)),
    "backwards": lambda: sequential(bounded(return_sequences=True, go_backwards=True)),
    "shifted_hard_tanh": lambda: sequential(bounded(state_shift=0.5, activation="hard_tanh")),
    "bidirectional": lambda: sequential(keras.layers.Bidirectional(bounded(return_sequences=True))),
    "with_others": stacked,
}


@EVERY
@pytest.mark.parametrize("name", MODELS)
def test_answers(name, ops, kind):
    if (name, kind) == ("with_others", "int16x8"):
        pytest.skip("LayerNormalization has no int16")
    model = MODELS[name]()
    # Larger ones make errors grow from step to step, as they do all else.
    model.set_weights([weight / 2 if weight.ndim else weight for weight in model.get_weights()])
    content = ka.lite.convert(model, ops=ops, quantize=kind, representative_data=samples())
    assert_near(model, content, samples(16, seed=6), TOLERANCE[kind])
    assert (operators(content).count("AddGru") > 0) == (ops == "fused")
    if kind in INTEGERS:
        assert "WHILE" not in operators(content)


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_are_all_that_is_computed_in(kind):
    content = ka.lite.convert(sequential(bounded()), quantize=kind, representative_data=samples())
    (graph,) = read(content).subgraphs
    floats = [t for t in graph.tensors if t.type == schema.TensorType.FLOAT32]
    assert len(floats) == 2  # the input and the output
    assert operators(content)[0] == "QUANTIZE" and operators(content)[-1] == "DEQUANTIZE"


@pytest.mark.parametrize("kind", INTEGERS)
@pytest.mark.parametrize(
    "layer",
    [lambda: keras.layers.GRU(4), lambda: keras.layers.RNN(ka.AddGRUCell(4, state_max=1.5))],
)
def test_other_recurrent_layers_are_written_out_too(layer, kind):
    model = sequential(layer())
    content = ka.lite.convert(model, quantize=kind, representative_data=samples())
    assert_near(model, content, samples(16, seed=6), TOLERANCE[kind])
    assert not model.layers[-1].unroll


def test_what_has_no_int16_is_named():
    with pytest.raises(ValueError, match='has no int16 for NEG.*"dynamic" or "int8"'):
        ka.lite.convert(stacked(), quantize="int16x8", representative_data=samples())


def adder():
    """A model that adds up the values whose marker is 1, exactly."""
    layer = ka.AddGRU(1, return_sequences=True, scale_inputs=False)
    model = keras.Sequential([keras.Input((40, 2), name="x"), layer])
    kernel = np.array([[0, 1], [-2, 0]], "float32")  # u = 2 - 2 marker, c = value
    model.set_weights([kernel, np.zeros((1, 2)), np.array([2, 0], "float32")])
    return model


def marked(batch, seed):
    generator = np.random.default_rng(seed)
    markers = generator.random((batch, 40)) < 0.5
    return np.stack([generator.random((batch, 40)), markers], -1).astype("float32")


@pytest.mark.parametrize(("kind", "error"), [("int8", 0.06), ("int16x8", 1e-3)])
def test_sums_are_not_cut_off(kind, error):
    # The steps are stacked, with one range for all; the sum of the last is the largest by far.
    model = adder()
    content = ka.lite.convert(model, quantize=kind, representative_data=marked(100, seed=1))
    inputs = marked(100, seed=1)[:20]  # within what was seen
    expected = np.cumsum(inputs[..., 0] * inputs[..., 1], axis=1)[..., np.newaxis]
    np.testing.assert_allclose(np.asarray(model(inputs)), expected, rtol=1e-5)
    assert_near(model, content, inputs, error)


@EVERY
def test_same_model_and_data_give_same_bytes(ops, kind, tmp_path):
    model = sequential(bounded(return_sequences=True), ka.AddGRU(4))
    arguments = {"ops": ops, "quantize": kind, "representative_data": samples(8)}
    content = ka.lite.convert(model, **arguments)
    model.save(tmp_path / "model.keras")
    keras.utils.clear_session()
    ka.lite.convert(sequential(bounded()))  # something else has come between
    assert (
        ka.lite.convert(keras.models.load_model(tmp_path / "model.keras"), **arguments) == content
    )
    file = read(content)
    (entry,) = (entry for entry in file.metadata if entry.name == b"keras_addrnn")
    facts = json.loads(bytes(file.buffers[entry.buffer].data))
    assert facts == {"ops": ops, "quantize": kind, "version": ka.__version__}


@EVERY
def test_quantised_file_is_smaller(ops, kind):
    def model(units):
        return keras.Sequential([keras.Input((3, FEATURES)), ka.AddGRU(units, state_max=1.0)])

    content = ka.lite.convert(
        model(64), ops=ops, quantize=kind, representative_data=sequences(4, 3)
    )
    assert len(content) < len(ka.lite.convert(model(64), ops=ops))


def add_gru_weights(content):
    """For each `AddGru` its kernel, recurrent kernel and bias: tensors, and values as floats."""
    file = read(content)
    (graph,) = file.subgraphs
    for node in graph.operators:
        if file.operatorCodes[node.opcodeIndex].customCode == b"AddGru":
            tensors = [graph.tensors[index] for index in node.inputs[1:4]]
            yield tensors, [_values(file, tensor) for tensor in tensors]


def _values(file, tensor):
    types = {"FLOAT32": "float32", "FLOAT16": "float16", "INT8": "int8"}
    (dtype,) = (v for k, v in types.items() if getattr(schema.TensorType, k) == tensor.type)
    values = np.frombuffer(bytes(file.buffers[tensor.buffer].data), dtype).reshape(tensor.shape)
    values = values.astype("float64")
    return values * tensor.quantization.scale if dtype == "int8" else values


def wide():
    inputs = keras.Input((7, 8), name="rows")
    states = ka.AddGRU(6, return_sequences=True)(inputs)
    return randomised(keras.Model(inputs, ka.AddGRU(5)(states)))


def weights_in_use(layer):
    """The kernel with the factor of the inputs, the recurrent kernel, the bias."""
    _, recurrent_kernel, bias, _ = layer.get_weights()
    return np.asarray(layer.cell.scaled_kernel()), recurrent_kernel, bias


@pytest.mark.fused
def test_float16_weights_of_the_operator():
    model = wide()
    content = ka.lite.convert(model, ops="fused", quantize="float16")
    assert "DEQUANTIZE" not in operators(content)
    found = list(add_gru_weights(content))
    assert len(found) == 2
    for (tensors, values), layer in zip(found, model.layers[1:], strict=True):
        types = schema.TensorType
        assert [t.type for t in tensors] == [types.FLOAT16, types.FLOAT16, types.FLOAT32]
        for value, weight in zip(values, weights_in_use(layer), strict=True):
            np.testing.assert_array_equal(value, weight.astype("float16"))


@pytest.mark.fused
def test_int8_weights_of_the_operator():
    model = wide()
    found = list(add_gru_weights(ka.lite.convert(model, ops="fused", quantize="dynamic")))
    assert len(found) == 2
    for (tensors, values), layer in zip(found, model.layers[1:], strict=True):
        expected = weights_in_use(layer)
        for tensor, value, weight in zip(tensors[:2], values, expected, strict=False):
            assert tensor.type == schema.TensorType.INT8
            assert tensor.quantization.quantizedDimension == 1
            assert len(tensor.quantization.scale) == 2 * layer.units
            assert not np.any(tensor.quantization.zeroPoint)
            half_a_step = np.abs(weight).max(axis=0) / 254
            assert np.all(np.abs(value - weight) <= half_a_step * 1.0001)
        assert tensors[2].type == schema.TensorType.FLOAT32
        np.testing.assert_array_equal(values[2], expected[2])


@pytest.mark.fused
def test_few_rows_stay_float():
    model = sequential(ka.AddGRU(UNITS))  # a kernel of three rows
    ((tensors, _),) = add_gru_weights(ka.lite.convert(model, ops="fused", quantize="dynamic"))
    assert [tensor.type for tensor in tensors[:2]] == [
        schema.TensorType.FLOAT32,
        schema.TensorType.INT8,
    ]


@pytest.mark.fused
@pytest.mark.parametrize("kind", ["float16", "dynamic"])
def test_weights_that_something_else_reads_too(kind):
    inputs = keras.Input((7, 8))
    weight = np.random.default_rng(0).normal(0, 0.3, (8, 16)).astype("float32")
    states, last = ka.ops.add_gru(inputs, weight, weight, bias=weight[0])
    again, _ = ka.ops.add_gru(inputs, weight, weight, bias=weight[0], go_backwards=True)
    outputs = keras.ops.matmul(states + again, weight) + weight[0]
    model = keras.Model(inputs, outputs)
    content = ka.lite.convert(model, ops="fused", quantize=kind)
    generator = np.random.default_rng(1)
    assert_near(model, content, generator.normal(size=(4, 7, 8)).astype("float32"), 0.05)


@pytest.mark.parametrize("scale", [0.0, 1e-45, 1e-30, 1.0, 3e38])
def test_symmetric_int8(scale):
    values = np.float32(scale) * np.array([[1, -1, 0], [-0.5, 1, 0], [0.25, 0.1, 0]], "float32")
    integers, scales = _fused_operators.symmetric_int8(values)
    assert integers.dtype == np.int8 and integers.min() >= -127
    assert np.all(scales > 0) and np.all(np.isfinite(scales))
    limit = np.maximum(np.abs(values).max(axis=0) / 254 * 1.001, 127 * np.finfo("float32").tiny)
    assert np.all(np.abs(integers * scales.astype("float64") - values) <= limit)


def test_data_by_name_and_in_order():
    inputs = [keras.Input((7, FEATURES), name=name) for name in ("b", "a")]
    model = randomised(keras.Model(inputs, bounded()(inputs[0]) + bounded()(inputs[1])))
    b, a = samples(8, seed=1), samples(8, seed=2)
    contents = {
        ka.lite.convert(model, quantize="int8", representative_data=data)
        for data in ([b, a], (b, a), {"a": a, "b": b}, {"a": a.astype("float64"), "b": b})
    }
    assert len(contents) == 1


def test_samples_fill_up_batches():
    model = sequential(bounded())
    content = ka.lite.convert(model, quantize="int8", batch_size=3, representative_data=samples(4))
    expected = np.asarray(model(samples(3)))
    np.testing.assert_allclose(answers.run(content, samples(3))[0], expected, atol=0.1)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (None, ValueError, "`representative_data` must be given.*samples of the inputs"),
        (np.zeros((0, 7, FEATURES)), ValueError, "at least one sample"),
        (
            np.zeros((4, 6, FEATURES)),
            ValueError,
            r"shape \(7, 3\) for the input 'rows'.*\(4, 6, 3\)",
        ),
        (np.zeros((7, FEATURES)), ValueError, r"shape \(7, 3\)"),
        (
            np.full((4, 7, FEATURES), np.nan),
            ValueError,
            r"finite numbers.*nan at index \[0, 0, 0\]. Leave",
        ),
        (np.zeros((4, 7, FEATURES), "complex64"), TypeError, "arrays of numbers.*complex64"),
        (["text"], TypeError, "arrays of numbers"),
        (3.0, ValueError, "at least one sample"),
        ({"row": np.zeros((4, 7, FEATURES))}, ValueError, r"\['rows'\]. Received: \['row'\]"),
        ([np.zeros((4, 7, FEATURES))] * 2, ValueError, "must have 1 arrays.*Received: 2"),
        ((row for row in ()), TypeError, "np.concatenate"),
        (lambda: [], TypeError, "np.concatenate"),
    ],
)
def test_wrong_data(data, error, message):
    with pytest.raises(error, match=message):
        ka.lite.convert(sequential(bounded()), quantize="int8", representative_data=data)


@pytest.fixture
def no_converter(monkeypatch):
    def entered(*_, **__):
        raise AssertionError("the converter was entered")

    monkeypatch.setattr(_converter_process, "convert", entered)


@pytest.mark.parametrize("quantize", ["int4", "INT8", 8, True, "none"])
def test_wrong_quantize(quantize, no_converter):
    with pytest.raises(ValueError, match="`quantize` must be one of .None, .*Received: quantize="):
        ka.lite.convert(sequential(bounded()), quantize=quantize)


@pytest.mark.parametrize("kind", INTEGERS)
def test_what_integers_cannot_do_is_refused_first(kind, no_converter):
    def refused(model, message, **arguments):
        with pytest.raises(ValueError, match=message):
            ka.lite.convert(model, quantize=kind, representative_data=samples(4), **arguments)

    refused(
        sequential(bounded()), '`quantize` must be.*with ops="fused".*Use.*"dynamic"', ops="fused"
    )
    refused(
        sequential(bounded(), steps=None), r"fix their number.*'rows'.*keras.Input\(\(steps, 3\)\)"
    )
    refused(sequential(ka.AddGRU(UNITS, activation="softplus")), "no activation 'softplus'")
    refused(sequential(Loop()), "converts no loops")


def test_steps_of_words_are_told_as_such(no_converter):
    model = keras.Sequential([keras.Input((None,)), keras.layers.Embedding(9, 2), bounded()])
    with pytest.raises(ValueError, match=r"keras.Input\(\(steps,\)\)"):
        ka.lite.convert(model, quantize="int8", representative_data=np.zeros((4, 7)))


def words():
    return keras.Sequential([keras.Input((7,), dtype="int32"), keras.layers.Embedding(9, 3)])


def masked_words():
    layers = [keras.layers.Embedding(9, 3, mask_zero=True), ka.AddGRU(UNITS)]
    return keras.Sequential([keras.Input((7,)), *layers])


@pytest.mark.parametrize(
    "make", [words, masked_words, lambda: sequential(keras.layers.Masking(), bounded())]
)
def test_int16_for_words_and_masks_is_refused_first(make, no_converter):
    with pytest.raises(ValueError, match='no int16 for words and masks. Use.*"dynamic" or "int8"'):
        ka.lite.convert(make(), quantize="int16x8", representative_data=np.zeros((4, 7)))


def test_int16_for_integers_is_refused():
    integers = keras.Input((7,), dtype="int32")
    model = keras.Model(integers, keras.layers.Dense(2)(keras.ops.cast(integers + 1, "float32")))
    data = np.arange(28, dtype="int32").reshape(4, 7)
    with pytest.raises(ValueError, match='no int16 for .*Use quantize="dynamic" or "int8"'):
        ka.lite.convert(model, quantize="int16x8", representative_data=data)


@keras.saving.register_keras_serializable()
class Loop(keras.layers.Layer):
    def call(self, inputs):
        return keras.ops.while_loop(lambda _: True, lambda x: (x * 2,), (inputs,), 3)[0]

    def compute_output_shape(self, input_shape):
        return input_shape


@EVERY
def test_weights_that_are_no_numbers(ops, kind, no_converter):
    model = sequential(bounded())
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    with pytest.raises(ValueError, match="finite weights.*kernel"):
        ka.lite.convert(model, ops=ops, quantize=kind, representative_data=samples(4))


def test_weights_beyond_float16(no_converter):
    model = sequential(bounded())
    model.set_weights([weight * 1e6 for weight in model.get_weights()])
    with pytest.raises(ValueError, match="at most 65504.*kernel"):
        ka.lite.convert(model, quantize="float16")
