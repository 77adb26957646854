"""The interpreter with our delegate: its arguments, and files that nobody should write."""

import concurrent.futures
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import addrnn.lite
import keras_addrnn as ka
from addrnn import _libraries

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)

from tests.keras_addrnn.lite.models import FEATURES, UNITS, sequences, sequential

litert = pytest.importorskip("ai_edge_litert.interpreter")

ROOT = pathlib.Path(__file__).parents[3]
pytestmark = pytest.mark.fused


@pytest.fixture(scope="module")
def content():
    return ka.lite.convert(sequential(ka.AddGRU(UNITS)), ops="fused")


def test_file_from_a_path(content, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    for given in (path, str(path)):
        assert addrnn.lite.Interpreter(given, num_threads=2).get_input_details()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "Exactly one of.*neither"),
        ({"model_path": "a", "model_content": b"b"}, ValueError, "Exactly one of.*both"),
        ({"model_path": "missing.tflite"}, ValueError, "`model_path`.*missing.tflite"),
        (
            {"model_content": "model.tflite"},
            TypeError,
            "`model_content` must be the bytes.*str. Give",
        ),
        ({"model_content": b"no such file"}, ValueError, "."),
        ({"model_content": b"", "num_threads": 0}, ValueError, "positive.*num_threads=0"),
        ({"model_content": b"", "num_threads": True}, TypeError, "integer.*num_threads=True"),
        ({"model_content": b"", "num_threads": 1.5}, TypeError, "integer.*num_threads=1.5"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        addrnn.lite.Interpreter(**arguments)


@pytest.fixture(params=["missing", "broken"])
def no_delegate(request, monkeypatch, tmp_path):
    """There is no delegate's library, or it does not load; what is told then."""
    library = tmp_path / "delegate.so"
    if request.param == "broken":
        library.write_bytes(b"no library")
    monkeypatch.setattr(_libraries, "LITERT_DELEGATE", library)
    return {"missing": "is missing", "broken": "cannot be loaded"}[request.param]


def test_missing_library_names_the_remedy(content, no_delegate, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    for arguments in ({"model_content": content}, {"model_path": path}):
        with pytest.raises(RuntimeError, match=f"AddGru.* {no_delegate} .*delegate.so.*make setup"):
            addrnn.lite.Interpreter(**arguments)


def test_builtin_files_need_no_library(no_delegate):
    content = ka.lite.convert(sequential(ka.AddGRU(UNITS)))
    (answer,) = (
        addrnn.lite.Interpreter(model_content=content)
        .get_signature_runner()(rows=sequences())
        .values()
    )
    assert answer.shape == (1, UNITS)
    with pytest.raises(ValueError, match="not a valid Flatbuffer"):
        addrnn.lite.Interpreter(model_content=b"no such file")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_threads": 0}, "num_threads must be a positive integer, received '0'"),
        ({"num_threads": "two"}, "num_threads must be a positive integer, received 'two'"),
        ({"num_threads": "2 "}, "num_threads must be a positive integer, received '2 '"),
        ({"threads": 2}, "unknown option 'threads'; there is num_threads"),
    ],
)
def test_wrong_options_of_the_delegate(options, message):
    with pytest.raises(ValueError, match=message):
        litert.load_delegate(addrnn.lite.delegate_path(), options)


def test_one_delegate_for_two_interpreters(content):
    delegate = litert.load_delegate(addrnn.lite.delegate_path())
    for _ in range(2):
        interpreter = litert.Interpreter(
            model_content=content, experimental_delegates=[delegate], num_threads=1
        )
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sequences())
        interpreter.invoke()


def test_interpreters_in_several_threads():
    model = keras.Sequential([keras.Input((50, 28), name="rows"), ka.AddGRU(130)])
    file = ka.lite.convert(model, ops="fused", batch_size=8)
    rows = np.random.default_rng(0).normal(size=(8, 50, 28)).astype("float32")

    def run(num_threads):
        runner = addrnn.lite.Interpreter(
            model_content=file, num_threads=num_threads
        ).get_signature_runner()
        return [next(iter(runner(rows=rows).values())) for _ in range(20)]

    with concurrent.futures.ThreadPoolExecutor() as pool:
        first, *others = (answer for each in pool.map(run, (1, 2, 3, 2)) for answer in each)
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_interpreter_of_tensorflow(content):
    import tensorflow as tf

    delegate = tf.lite.experimental.load_delegate(addrnn.lite.delegate_path())
    interpreter = tf.lite.Interpreter(model_content=content, experimental_delegates=[delegate])
    (answer,) = interpreter.get_signature_runner()(rows=sequences()).values()
    (expected,) = (
        addrnn.lite.Interpreter(model_content=content)
        .get_signature_runner()(rows=sequences())
        .values()
    )
    np.testing.assert_array_equal(answer, expected)


def test_subnormal_numbers_are_zeros_in_the_operator_only():
    inputs = keras.Input((1, 1), name="rows")
    identity = np.array([[0, 1]], "float32"), np.zeros((1, 2), "float32")
    model = keras.Model(inputs, ka.ops.add_gru(inputs, *identity)[1])
    runner = addrnn.lite.Interpreter(
        model_content=ka.lite.convert(model, ops="fused")
    ).get_signature_runner()
    for value, expected in ((1e-40, 0), (1e-30, 1e-30)):
        (answer,) = runner(rows=np.full((1, 1, 1), value, "float32")).values()
        assert answer[0, 0] == np.float32(expected)
    assert np.float32(1e-40) * np.float32(1) != 0


def test_other_steps_than_before(content):
    interpreter = addrnn.lite.Interpreter(model_content=content)
    runner = interpreter.get_signature_runner()
    for batch, steps in ((1, 7), (1, 3), (4, 9), (1, 7)):
        (answer,) = runner(rows=sequences(batch, steps)).values()
        assert answer.shape == (batch, UNITS)


@pytest.mark.parametrize("mode", ["edited", "drawn", "bytes"])
def test_hostile_files(mode, tmp_path):
    inputs = keras.Input(batch_shape=(2, 3, 4))
    state = keras.Input(batch_shape=(2, 5))
    mask = keras.Input(batch_shape=(2, 3), dtype="bool")
    generator = np.random.default_rng(0)
    weights = [
        generator.normal(0, 0.4, shape).astype("float32") for shape in ((4, 10), (5, 10), (10,))
    ]
    model = keras.Model([inputs, state, mask], ka.ops.add_gru(inputs, *weights, state, mask))
    path = tmp_path / "model.tflite"
    ka.lite.convert(model, path, ops="fused", batch_size=2)
    expect_refusals("hostile_files", path, mode)


@pytest.mark.parametrize("mode", ["edited", "drawn", "bytes"])
def test_hostile_files_of_min_add_gru(mode, tmp_path):
    inputs = keras.Input(batch_shape=(2, 3, 4))
    state = keras.Input(batch_shape=(2, 5))
    mask = keras.Input(batch_shape=(2, 3), dtype="bool")
    before = keras.Input(batch_shape=(2, 2, 4))
    generator = np.random.default_rng(0)
    weights = [generator.normal(0, 0.4, shape).astype("float32") for shape in ((3, 4, 10), (10,))]
    outputs = ka.ops.min_add_gru(inputs, *weights, state, mask, before)
    path = tmp_path / "model.tflite"
    model = keras.Model([inputs, state, mask, before], outputs)
    ka.lite.convert(model, path, ops="fused", batch_size=2)
    expect_refusals("hostile_min_files", path, mode)


def expect_refusals(program, path, mode):
    result = subprocess.run(
        [sys.executable, "-m", f"tests.addrnn.lite.{program}", path, mode],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    last = (result.stdout.splitlines() or [""])[-1]
    assert result.returncode == 0, f"at {last!r}: {result.stderr[-2000:]}"
    assert "refused" in last
    print(last)


def test_neither_keras_nor_tensorflow_is_imported(content, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    code = (
        "import sys, numpy, addrnn.lite\n"
        f"interpreter = addrnn.lite.Interpreter({str(path)!r})\n"
        "runner = interpreter.get_signature_runner()\n"
        f"answers = runner(rows=numpy.ones((1, 7, {FEATURES}), 'float32'))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
        "print(next(iter(answers.values())).shape)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout.strip() == f"(1, {UNITS})", result.stderr
