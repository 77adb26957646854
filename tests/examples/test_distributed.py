"""Training on two devices and in two processes gives what training alone gives."""

import os
import re
import subprocess
import sys

import keras
import pytest

from tests.examples.conftest import EXAMPLES

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="it runs on TensorFlow"
)


def run(*flags, **environment):
    return subprocess.run(
        [sys.executable, str(EXAMPLES / "distributed.py"), *map(str, flags)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow", **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("strategy", ["mirrored", "multi-worker"])
def test_weights_are_those_of_one_process(strategy):
    result = run("--strategy", strategy, "--batches", 3)
    assert result.returncode == 0, result.stderr
    difference = re.search(rf"{strategy} +loss .* differ by (\S+) at most", result.stdout)
    assert float(difference[1]) < 1e-5, result.stdout  # Adam has moved each by 1e-3 a batch


def test_wrong_flags_are_one_line():
    result = run("--batches", 0)
    assert result.returncode == 2
    assert "argument --batches: expected an integer of at least 1, got '0'" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_it_needs_tensorflow():
    result = run(KERAS_BACKEND="jax")
    assert result.returncode == 2
    assert "needs KERAS_BACKEND=tensorflow, got 'jax'" in result.stderr
