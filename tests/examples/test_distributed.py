"""Training on two devices and in two processes gives what training alone gives."""

import ast
import os
import pathlib
import re
import subprocess
import sys
from unittest import mock

import keras
import pytest

from tests.examples import support

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="it runs on TensorFlow"
)


def test_weights_are_those_of_one_process(tmp_path):
    script = tmp_path / "distributed.py"
    script.write_text(ast.unparse(support.shortened("distributed", BATCHES=3)))
    result = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(support.EXAMPLES.parent)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    rows = re.findall(r"^(.+): weights differ .* by (\S+) at most$", result.stdout, re.MULTILINE)
    assert [name for name, _ in rows] == ["two devices", "worker 0", "worker 1"], result.stdout
    # Rounding alone, of sums in another order: three batches have moved weights by up to 0.1, and
    # half of each batch would move them elsewhere.
    assert all(float(difference) < 1e-5 for _, difference in rows), result.stdout
    assert rows[1][1] == rows[2][1]  # the workers end with the same weights
    for line in ("1 replicas, ", "2 replicas, MirroredStrategy", "2 replicas, CollectiveAllReduce"):
        assert re.search(rf"^{line}.* after 3 batches$", result.stdout, re.MULTILINE), line


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

        monkeypatch.setattr(subprocess, "Popen", popen)
        return workers

    return replace


def test_a_worker_that_fails_ends_the_others(start, tmp_path):
    workers = start(None, 3)
    with pytest.raises(
        RuntimeError, match="^worker 1 ended with 3\nworker 0: word 0\nworker 1: word 1$"
    ):
        support.definitions("distributed")["run_workers"](pathlib.Path(tmp_path))
    for worker in workers:
        worker.kill.assert_called_once()


def test_workers_that_hang_are_ended(start, tmp_path):
    names = support.definitions("distributed")
    names["WORKER_SECONDS"] = 0
    workers = start(None, 0)
    expected = "^the workers have not ended within 0 s\nworker 0: word 0\nworker 1: word 1$"
    with pytest.raises(RuntimeError, match=expected):
        names["run_workers"](pathlib.Path(tmp_path))
    for worker in workers:
        worker.kill.assert_called_once()
