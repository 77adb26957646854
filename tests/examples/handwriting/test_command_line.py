"""The handwriting example as a person runs it, and what it says to wrong flags."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from etils import epath

from tests.examples import idx
from tests.examples.handwriting import fake_iam
from tests.examples.support import EXAMPLES


def run(*flags, **environment):
    return subprocess.run(
        [sys.executable, str(EXAMPLES / "handwriting"), *map(str, flags)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow", **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def some_digits(tmp_path):
    """A directory of IDX files with few real digits."""
    directory = tmp_path / "idx"
    directory.mkdir()
    with np.load(EXAMPLES / "data" / "mnist_subset.npz") as digits:
        arrays = [digits[name][:200] for name in ("x_train", "y_train", "x_test", "y_test")]
    idx.write_mnist(directory, *arrays)
    return directory


@pytest.mark.slow
def test_from_digits_to_litert(some_digits, tmp_path):
    output = tmp_path / "out"
    flags = ("--images", 64, "--epochs", 1, "--layers", "AddGRU", "--output", output)
    result = run("--data-dir", some_digits, *flags)
    assert result.returncode == 0, result.stderr
    assert "64 images to train on, 6 to validate, 6 to test" in result.stdout
    assert "characters 0123456789" in result.stdout
    row = r"\| AddGRU \| [\d.]+ %, .* builtin \d+, [\d.]+, [\d.]+ %; fused \d+, [\d.]+, [\d.]+ %"
    assert re.search(row, result.stdout), result.stdout
    (folder,) = output.glob("digits_images64_seed0_*")
    picture = (folder / "addgru_epochs1_seed0.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    directory = folder / "addgru_epochs1_seed0"
    files = {file.name for file in directory.iterdir()}
    expected = {"characters.txt", "epochs.csv", "logs", "model.keras"}
    expected |= {"results.json", "model_builtin.tflite", "model_fused.tflite"}
    assert files == expected

    again = run("--data-dir", some_digits, *flags)
    assert again.returncode == 0, again.stderr
    assert f"is trained already: {directory / 'model.keras'}" in again.stdout
    assert re.search(row, again.stdout), again.stdout


@pytest.mark.slow
def test_a_layer_trains_alike_alone_and_after_another(some_digits, tmp_path):
    losses = []
    for layers in (["GRU"], ["AddGRU", "GRU"]):
        output = tmp_path / "_".join(layers)
        flags = ("--images", 192, "--epochs", 2, "--layers", *layers, "--output", output)
        result = run("--data-dir", some_digits, *flags)
        assert result.returncode == 0, result.stderr
        (file,) = output.glob("digits_*/gru_*/epochs.csv")
        losses.append(np.loadtxt(file, delimiter=",", skiprows=1, usecols=2))
    np.testing.assert_allclose(*losses, rtol=1e-3)


@pytest.mark.slow
def test_all_layers_on_iam(tmp_path):
    directory = tmp_path / "iam"
    directory.mkdir()
    fake_iam.make(epath.Path(directory))
    output = tmp_path / "out"
    result = run("--data", "iam", "--data-dir", directory, "--epochs", 1, "--output", output)
    assert result.returncode == 0, result.stderr
    assert "4 images to train on, 2 to validate, 1 to test" in result.stdout
    for kind in ("AddGRU", "GRU", "LSTM"):
        assert re.search(rf"\| {kind} \| ", result.stdout), result.stdout


def refused(message, *flags, begun=False, **environment):
    """`begun`: after the first lines, when the data is read."""
    result = run(*flags, **environment)
    assert result.returncode == 2, result.stderr
    assert (len(result.stdout.splitlines()) == 3) if begun else (result.stdout == "")
    last = result.stderr.splitlines()[-1]
    assert re.fullmatch(rf".*: error: .*{message}.*", last), result.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--layers", "RNN"], "--layers: invalid choice: 'RNN'"),
        (["--data", "iam"], "--data iam needs --data-dir"),
        (["--data", "fonts", "--data-dir", "."], "--data fonts takes no --data-dir"),
        (["--images", "0"], "--images: expected an integer of at least 1, got '0'"),
        (["--data-dir", "/nowhere/at/all"], "--data-dir: '/nowhere/at/all' is not a directory"),
    ],
)
def test_wrong_flags(flags, message):
    refused(re.escape(message), *flags)


def test_iam_without_its_files(tmp_path):
    message = "words.txt is missing: the directory must hold words.txt and words/"
    flags = ("--data", "iam", "--data-dir", tmp_path, "--output", tmp_path / "out")
    refused(message, *flags, begun=True)


def test_digits_without_their_files(tmp_path):
    flags = ("--data-dir", tmp_path, "--output", tmp_path / "out")
    refused("has neither train-images", *flags, begun=True)


def test_other_backend(tmp_path):
    refused("KERAS_BACKEND=tensorflow, got 'jax'", "--output", tmp_path, KERAS_BACKEND="jax")
