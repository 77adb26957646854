"""Every public function works in every TensorFlow that the package allows.

The compiled libraries are built once and run in all of them. Each version is installed into a
throw-away environment, without ai-edge-litert, so this needs a package index.
"""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.fused
@pytest.mark.parametrize("version", ["2.19.1", "2.20.0", "2.21.0"])
def test_every_public_function(version, tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"tensorflow-cpu=={version}", "keras>=3.12", "safetensors"], check=True)
    done = subprocess.run(
        [python, "-m", "tests.every_public_function", tmp_path],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith(f"TensorFlow {version}")
    assert done.stdout.rstrip().endswith("addrnn.tensorflow.add_gru: done")
