"""The op works in the oldest JAX that the package allows, and in those up to the pinned one.

Each version goes into a folder before the installed one, so this needs a package index.
"""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.fused
@pytest.mark.parametrize("version", ["0.8.3", "0.9.2"])
def test_addrnn_jax(version, tmp_path):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path]
    subprocess.run([*pip, f"jax=={version}", f"jaxlib=={version}"], check=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    used = [sys.executable, "-c", "import jax; print(jax.__version__)"]
    assert subprocess.check_output(used, env=environment, text=True).strip() == version
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/addrnn/jax"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]
