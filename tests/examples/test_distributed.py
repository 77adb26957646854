"""Training on two devices and in two processes gives what training alone gives."""

import os
import re
import subprocess
import sys
from unittest import mock

import distributed
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
    row = rf"^{strategy} +replicas 2, loss .* differ by (\S+) at most$"
    difference = re.search(row, result.stdout, re.MULTILINE)
    # Rounding alone, of sums in another order: three batches have moved weights by up to 0.1, and
    # half of each batch would move them elsewhere.
    assert difference and float(difference[1]) < 1e-5, result.stdout
    assert re.search(r"^alone +replicas 1, loss ", result.stdout, re.MULTILINE), result.stdout


@pytest.fixture
def start(monkeypatch):
    """Replaces the workers by some that say a word and have these exit codes; None: they run on."""

    def replace(*codes):
        workers = []

        def popen(command, env, stdout, stderr):
            number = len(workers)
            stdout.write(f"word {number}\n")
            workers.append(mock.Mock(poll=lambda: codes[number]))
            return workers[-1]

        monkeypatch.setattr(distributed.subprocess, "Popen", popen)
        return workers

    return replace


def test_a_worker_that_fails_ends_the_others(start):
    workers = start(None, 3)
    with pytest.raises(RuntimeError, match="^worker 1 ended with 3: word 1$"):
        distributed.multi_worker(count=1, seed=0)
    for worker in workers:
        worker.kill.assert_called_once()


def test_workers_that_hang_are_ended(start, monkeypatch):
    monkeypatch.setattr(distributed, "WORKER_SECONDS", 0)
    workers = start(None, 0)
    expected = "^the workers have not ended within 0 s\nworker 0: word 0\nworker 1: word 1$"
    with pytest.raises(RuntimeError, match=expected):
        distributed.multi_worker(count=1, seed=0)
    for worker in workers:
        worker.kill.assert_called_once()


def test_wrong_flags_are_one_line():
    result = run("--batches", 0)
    assert result.returncode == 2
    assert "argument --batches: expected an integer of at least 1, got '0'" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_it_needs_tensorflow():
    result = run(KERAS_BACKEND="jax")
    assert result.returncode == 2
    assert "needs KERAS_BACKEND=tensorflow, got 'jax'" in result.stderr
