"""`benchmarks.gpu`: what it prints where no GPU is, and that its layers run."""

import os
import subprocess
import sys

import pytest

from benchmarks import gpu

RUN = """
from benchmarks import gpu
for name, framework, make in gpu.layers(sys.argv[2], "cpu"):
    if framework == sys.argv[1] and "compiled" not in name:
        for function in make((2, 5, 3, 4)):
            function()
        print(name)
"""


def test_without_a_gpu_every_row_is_not_run(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "gpu", lambda: None)
    gpu.main([])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("No GPU. 20")
    rows = [line for line in lines if line.startswith("| float32") or line.startswith("| bfloat")]
    assert len(rows) == 2 * 3 * 3 * 9 and all("NOT RUN" in row for row in rows)


@pytest.mark.parametrize("dtype", gpu.DTYPES)
@pytest.mark.parametrize(("framework", "count"), [("torch", 4), ("jax", 3)])
def test_layers_run(framework, count, dtype):
    pytest.importorskip(framework)
    ran = subprocess.run(
        [sys.executable, "-c", "import sys\n" + RUN, framework, dtype],
        env={**os.environ, "KERAS_BACKEND": framework},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert len(ran.stdout.splitlines()) == count, ran.stdout


def test_a_layer_that_fails_is_not_run():
    class Failing:
        def times(self, make, shape, column, seconds):
            raise RuntimeError("OutOfMemoryError: 3 GB\nmore")

    processes = {"torch": Failing(), "jax": Failing()}
    for *_, time, other in gpu.rows("float32", (1, 2, 3, 4), "cuda", processes, 1):
        assert time == "NOT RUN: OutOfMemoryError: 3 GB" and other == ""
