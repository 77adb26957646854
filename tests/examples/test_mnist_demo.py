"""The MNIST demonstration as a person runs it, on few digits; and what it says to wrong flags."""

import contextlib
import os
import re
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

import addrnn
import keras_addrnn as ka
from tests.examples import idx
from tests.examples.support import EXAMPLES


@pytest.fixture
def some_digits(tmp_path):
    """A directory of IDX files with few real digits."""
    directory = tmp_path / "idx"
    directory.mkdir()
    with np.load(EXAMPLES / "data" / "mnist_subset.npz") as digits:
        idx.write_mnist(
            directory,
            digits["x_train"][:320],
            digits["y_train"][:320],
            digits["x_test"][:40],
            digits["y_test"][:40],
        )
    return directory


def run(*flags, **environment):
    return subprocess.run(
        [sys.executable, str(EXAMPLES / "mnist_demo"), *map(str, flags)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow", **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it runs on TensorFlow")
def test_from_digits_to_litert(some_digits, tmp_path):
    pytest.importorskip("ai_edge_litert")
    pytest.importorskip("matplotlib")
    output = tmp_path / "made" / "here"
    result = run(*("--data-dir", some_digits, "--output", output, "--epochs", 2, "--units", 24))
    assert result.returncode == 0, result.stderr
    shown = result.stdout

    assert f"from the IDX files in {some_digits}" in shown
    assert "320 to train on, 40 to test" in shown
    parameters = {
        "AddGRU": 2 * 24 * (28 + 24 + 1) + 250,
        "MinAddGRU": 2 * 24 * (3 * 28 + 1) + 250,
        "GRU": 3 * 24 * (28 + 24 + 2) + 250,
        "LSTM": 4 * 24 * (28 + 24 + 1) + 250,
    }
    for name in ("AddGRU", "MinAddGRU"):
        parameters[name] += 1  # the scale of the inputs
    for name, count in parameters.items():
        row = rf"\| {name}\(24\) +\| +[\d.]+ % \| +[\d.]+ \| +{count:,} \| +(yes|no) \|"
        assert re.search(row, shown), shown

    files = sorted(file.name for file in output.iterdir())
    assert files == [
        "addgru.keras",
        "addgru_builtin.tflite",
        "addgru_fused.tflite",
        "addgru_integer.safetensors",
        "gru.keras",
        "gru.tflite",
        "learning_curves.png",
        "lstm.keras",
        "lstm.tflite",
        "minaddgru.keras",
        "minaddgru_builtin.tflite",
        "minaddgru_fused.tflite",
        "minaddgru_integer.safetensors",
    ]
    assert (output / "learning_curves.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    for name in ("AddGRU", "MinAddGRU"):
        model = keras.models.load_model(output / f"{name.lower()}.keras")
        assert model.count_params() == parameters[name]

    assert shown.count("loaded back, its answers differ by 0 at most") == 2
    ours = [
        f"{name}(24), {ops}" for name in ("AddGRU", "MinAddGRU") for ops in ("builtin", "fused")
    ]
    for name in (*ours, "GRU(24)", "LSTM(24)"):
        row = rf"\| {re.escape(name)} +\| +(\d+) \| +([\d.]+) % \| +100.00 % \| +\d+ \|"
        found = re.search(row, shown)
        assert found, shown
        path = output / (re.sub(r"\(24\)", "", name).lower().replace(", ", "_") + ".tflite")
        assert float(found[1]) == round(path.stat().st_size / 1000)
        accuracy = re.search(
            rf"\| {name[: name.index(')')].replace('(', '.')}. +\| +([\d.]+) %", shown
        )
        assert found[2] == accuracy[1]

    for name in ("AddGRU", "MinAddGRU"):
        integer_file = output / f"{name.lower()}_integer.safetensors"
        assert len(addrnn.load(integer_file).layers) == 2
        size = integer_file.stat().st_size
        share = 100 * size / (4 * parameters[name])
        line = rf"{integer_file}: int8 weights, int16 state\n"
        line += r" +([\d.]+) % of the test digits right, the same class as Keras for ([\d.]+) %\n"
        line += rf" +{size / 1000:.0f} kB, {share:.0f} % of the float weights; \d+ µs a digit"
        found = re.search(line, shown)
        assert found, shown
        assert float(found[2]) >= 90


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it runs on TensorFlow")
def test_what_does_not_convert_is_told(monkeypatch, tmp_path):
    from common import litert
    from mnist_demo import phone, report, training

    convert = ka.lite.convert

    def without_library(model, path, ops="builtin"):
        if ops == "fused":
            raise ValueError("the library is missing")
        return convert(model, path)

    monkeypatch.setattr(ka.lite, "convert", without_library)
    model = training.build("AddGRU", 4)
    files = phone.convert({"AddGRU(4)": model}, tmp_path)
    images = np.random.default_rng(0).random((3, 28, 28), "float32")
    functions = {
        name: litert.function(file) for name, file in files.items() if isinstance(file, bytes)
    }
    expected = {"AddGRU(4), builtin": model.predict(images, verbose=0)}
    answers = phone.compare(functions, images, np.zeros(3), expected)
    shown = report.litert(files, answers)
    assert re.search(r"\| AddGRU\(4\), builtin \| +\d+ \| +[\d.]+ % \|", shown), shown
    assert re.search(r"\| AddGRU\(4\), fused +\|( +- \|){4}", shown), shown
    assert shown.endswith("\nAddGRU(4), fused: the library is missing")


def test_rows():
    from mnist_demo import training

    images = np.zeros((2, 28, 28), "uint8")
    images[1, 3, 7] = 51  # in row 3, column 7
    sequences = training.sequences(images)
    assert sequences.dtype == "float32"
    assert sequences.shape == (2, 28, 28)
    expected = np.zeros_like(sequences)
    expected[1, 3, 7] = 0.2
    np.testing.assert_allclose(sequences, expected, rtol=1e-6)
    assert training.build("AddGRU", 3)(sequences).shape == (2, 10)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it runs on TensorFlow")
def test_every_layer_learns(some_digits):
    from common import digits
    from mnist_demo import training

    data = digits.load(some_digits)
    for kind in training.LAYERS:
        run = training.train(kind, data, units=8, epochs=2, seed=0)
        assert run.history["loss"][1] < run.history["loss"][0]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it runs on TensorFlow")
def test_it_can_be_interrupted(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-u", str(EXAMPLES / "mnist_demo"), "--output", str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline().startswith("MNIST read row by row")
    for _ in range(3):  # code of others, as TensorFlow's while it traces, may swallow one
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
            break
    _, errors = process.communicate(timeout=60)
    assert errors.endswith("\ninterrupted\n") and "Traceback" not in errors
    assert process.returncode == 130


def refused(message, *flags, **environment):
    result = run(*flags, **environment)
    assert result.returncode == 2
    assert result.stdout == ""
    assert re.fullmatch(rf"mnist_demo: error: .*{message}.*\n", result.stderr), result.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--epochs", "0"], "--epochs: expected an integer of at least 1, got '0'"),
        (["--epochs", "many"], "--epochs: expected an integer of at least 1, got 'many'"),
        (["--units", "-3"], "--units: expected an integer of at least 1, got '-3'"),
        (["--seed", "4294967296"], "--seed: expected an integer from 0 to 4294967295"),
        (["--data-dir"], "--data-dir: expected one argument"),
        (["--epoch", "3"], "unrecognized arguments: --epoch 3"),
        (["--data-dir", "/nowhere/at/all"], "/nowhere/at/all is not a directory"),
    ],
)
def test_wrong_flags(flags, message):
    refused(re.escape(message), *flags)


def test_damaged_digits(some_digits, tmp_path):
    file = some_digits / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-100])
    refused(f"{file} cannot be read", "--data-dir", some_digits, "--output", tmp_path / "out")


def test_output_that_is_a_file(some_digits):
    file = some_digits / "train-images-idx3-ubyte.gz"
    refused(f"--output: cannot use '{file}'", "--data-dir", some_digits, "--output", file)


def test_other_backend(some_digits):
    refused("KERAS_BACKEND=tensorflow, got 'jax'", "--data-dir", some_digits, KERAS_BACKEND="jax")


@pytest.mark.parametrize(("flags", "epochs"), [([], 5), (["--epochs", "7"], 7)])
def test_epochs(flags, epochs, some_digits, tmp_path, monkeypatch):
    from mnist_demo import __main__ as demo

    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    flags = [*flags, "--data-dir", str(some_digits), "--output", str(tmp_path)]
    parsed, data = demo.parse(flags)
    assert parsed.epochs == epochs
    assert len(data.x_train) == 320
