"""Integer models as LiteRT files: the golden model's integers, and hostile files refused."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings

import addrnn.lite
from addrnn import _libraries, reference
from tests import integer_problems as support

pytest.importorskip("ai_edge_litert.interpreter")

from ai_edge_litert import schema_py_generated as schema

from addrnn.lite import _flatbuffer
from tests.addrnn.lite import integer
from tests.min_integer_problems import draw_min_layer, min_layer_calls

pytestmark = pytest.mark.skipif(
    not _libraries.LITERT_DELEGATE.is_file(), reason="the delegate is not built"
)
ROOT = pathlib.Path(__file__).parents[3]


def draw_model(seed=0, **settings):
    rng = np.random.default_rng(seed)
    return support.draw_model(rng, 5, (7, 6), **{"classes": 3, "input_bits": 8, **settings})


@settings(deadline=None, max_examples=100)
@given(call=support.layer_calls((1, 5), (1, 4), (1, 7), (1, 9)))
def test_layer_agrees_with_golden(call):
    layer, inputs, state, mask = call
    answers = integer.run_layer(layer, inputs, state, mask)
    for answer, expected in zip(
        answers, reference.run_layer(layer, inputs, state, mask), strict=True
    ):
        np.testing.assert_array_equal(answer, expected)


@settings(deadline=None, max_examples=100)
@given(call=min_layer_calls((1, 5), (1, 4), (1, 7), (1, 9)))
def test_min_layer_agrees_with_golden(call):
    answers = integer.run_layer(*call)
    for answer, expected in zip(answers, reference.run_min_add_gru(*call), strict=True):
        np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("classes", [None, 3])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("input_bits", [5, 16])
@pytest.mark.parametrize("kernel_sizes", [None, (3, None), (None, 2), (1, 4)])
def test_model_agrees_with_golden(classes, sequences, input_bits, kernel_sizes):
    model = draw_model(
        classes=classes, sequences=sequences, input_bits=input_bits, kernel_sizes=kernel_sizes
    )
    rng = np.random.default_rng(1)
    inputs = support.draw_inputs(rng, 3, 8, 5, input_bits)
    mask = rng.random((3, 8)) < 0.7
    for given_mask in (None, mask):
        answer = integer.run_model(model, inputs, given_mask)
        expected = model.run(inputs, given_mask, executor="reference")
        assert answer.dtype == expected.dtype
        np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_a_sequence_in_parts(go_backwards):
    rng = np.random.default_rng(4)
    layer = draw_min_layer(rng, 5, 9, input_bits=8, go_backwards=go_backwards)
    inputs = support.draw_inputs(rng, 2, 9, 5, 8)
    runner = addrnn.lite.Interpreter(
        model_content=integer.layer_file(layer, initial_state=True, initial_inputs=True)
    ).get_signature_runner()
    in_order = inputs[:, ::-1] if go_backwards else inputs
    before = np.full((2, 2, 5), layer.input_zero_point, np.int8)
    state, outputs = np.zeros((2, 9), np.int16), []
    for begin, end in ((0, 4), (4, 5), (5, 9)):
        part = in_order[:, begin:end]
        given = np.ascontiguousarray(part[:, ::-1] if go_backwards else part)
        answers = runner(inputs=given, initial_state=state, initial_inputs=before)
        outputs.append(answers["outputs"])
        state, before = answers["state"], np.concatenate([before, part], axis=1)[:, -2:]
    expected, last = reference.run_layer(layer, inputs)
    np.testing.assert_array_equal(np.concatenate(outputs, axis=1), expected)
    np.testing.assert_array_equal(state, last)


@pytest.mark.parametrize("kernel_sizes", [None, (3, 2)])
def test_any_number_of_steps_and_threads(kernel_sizes):
    model = draw_model(kernel_sizes=kernel_sizes)
    interpreter = addrnn.lite.Interpreter(
        model_content=addrnn.lite.convert_integer(model, batch_size=None), num_threads=2
    )
    runner = interpreter.get_signature_runner()
    for batch, steps in ((1, 7), (1, 1), (1, 3), (40, 9), (1, 7), (2, 100)):
        inputs = support.draw_inputs(np.random.default_rng(steps), batch, steps, 5, 8)
        expected = model.run(inputs, executor="reference")
        np.testing.assert_array_equal(runner(inputs=inputs)["outputs"], expected)


def test_inputs_out_of_range_count_as_the_nearest():
    model = draw_model(input_bits=5)
    inputs = np.random.default_rng(2).integers(-128, 128, (1, 6, 5)).astype(np.int8)
    expected = model.run(np.clip(inputs, -16, 15), executor="reference")
    np.testing.assert_array_equal(integer.run_model(model, inputs), expected)


def test_all_that_is_out_of_range_counts_as_the_nearest():
    rng = np.random.default_rng(3)
    layer = draw_min_layer(rng, 4, 6, input_bits=5, state_bits=9)
    inputs = rng.integers(-128, 128, (2, 5, 4)).astype(np.int8)
    before = rng.integers(-128, 128, (2, 2, 4)).astype(np.int8)
    state = rng.integers(-(2**15), 2**15, (2, 6)).astype(np.int16)
    answers = integer.run_layer(layer, inputs, state, initial_inputs=before)
    expected = reference.run_min_add_gru(
        layer,
        np.clip(inputs, -16, 15),
        np.clip(state, 0, layer.state_max),
        initial_inputs=np.clip(before, -16, 15),
    )
    for answer, value in zip(answers, expected, strict=True):
        np.testing.assert_array_equal(answer, value)


def test_each_layer_is_one_operator():
    content = addrnn.lite.convert_integer(draw_model(kernel_sizes=(None, 3)))
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    names = _flatbuffer.custom_operators(model)
    assert names == ["AddGruInt", "MinAddGruInt", "AddGruIntDense"]
    assert [node.opcodeIndex for node in model.subgraphs[0].operators] == [0, 1, 2]


def test_missing_library_names_the_operator(monkeypatch, tmp_path):
    content = addrnn.lite.convert_integer(draw_model(kernel_sizes=(3, 3)))
    monkeypatch.setattr(_libraries, "LITERT_DELEGATE", tmp_path / "delegate.so")
    with pytest.raises(RuntimeError, match="The file has an operator MinAddGruInt"):
        addrnn.lite.Interpreter(model_content=content)


def test_file_says_what_its_numbers_stand_for(tmp_path):
    model, path = draw_model(sequences=True), tmp_path / "model.tflite"
    content = addrnn.lite.convert_integer(model, path, batch_size=2)
    assert path.read_bytes() == content
    interpreter = addrnn.lite.Interpreter(path)
    assert interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["inputs"], "outputs": ["outputs"]}
    }
    (inputs,), (outputs,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert inputs["dtype"] == np.int8 and outputs["dtype"] == np.int32
    assert inputs["shape_signature"].tolist() == [2, -1, 5]
    assert outputs["shape_signature"].tolist() == [2, -1, 3]
    assert inputs["quantization"] == (np.float32(model.inputs.scale), model.inputs.zero_point)
    assert outputs["quantization"] == (np.float32(model.output_scale), 0)


def test_same_model_gives_same_bytes_and_constants_are_aligned():
    content = addrnn.lite.convert_integer(draw_model())
    assert content == addrnn.lite.convert_integer(draw_model())
    file = schema.Model.GetRootAsModel(content, 0)
    large = 0
    for index in range(file.BuffersLength()):
        data = file.Buffers(index).DataAsNumpy()
        if isinstance(data, np.ndarray) and data.size >= 64:
            begin = data.__array_interface__["data"][0]
            base = np.frombuffer(content, np.uint8).__array_interface__["data"][0]
            assert (begin - base) % 64 == 0
            large += 1
    assert large >= 2


def test_needs_neither_keras_nor_tensorflow():
    code = (
        "import sys, numpy as np, addrnn.lite\n"
        "from tests.integer_problems import draw_model\n"
        "model = draw_model(np.random.default_rng(0), 2, (3,), classes=2)\n"
        "content = addrnn.lite.convert_integer(model)\n"
        "runner = addrnn.lite.Interpreter(model_content=content).get_signature_runner()\n"
        "print(runner(inputs=np.zeros((1, 4, 2), np.int8))['outputs'].shape)\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout.strip() == "(1, 2)", result.stderr


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": "model.keras"}, TypeError, "must be an addrnn.IntegerModel"),
        ({"batch_size": 0}, ValueError, "`batch_size` must be an integer from 1"),
        ({"batch_size": True}, TypeError, "`batch_size` must be an integer"),
        ({"path": "missing/model.tflite"}, ValueError, "directory that exists.*missing"),
        ({"path": "."}, ValueError, "must be that of a file"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        addrnn.lite.convert_integer(**{"model": draw_model(), **arguments})


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("gru", "edited"),
        ("gru", "drawn"),
        ("gru", "bytes"),
        ("min", "edited"),
        ("min", "drawn"),
        ("min", "bytes"),
        ("dense", "edited"),
        ("dense", "drawn"),
    ],
)
def test_hostile_files(kind, mode, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(integer.file_to_edit(kind))
    result = subprocess.run(
        [sys.executable, "-m", "tests.addrnn.lite.hostile_integer_files", path, kind, mode],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    last = (result.stdout.splitlines() or [""])[-1]
    assert result.returncode == 0, f"at {last!r}: {result.stderr[-2000:]}"
    assert "refused" in last
