"""The raw targets refuse whatever a program could contain that they cannot compute."""

import os
import subprocess
import sys

import pytest

from tests.support import needs_core

pytest.importorskip("jax")


@needs_core
def test_hostile_calls_are_refused():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.addrnn.jax.hostile_calls"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    last = "\n".join(done.stdout.splitlines()[-3:])
    assert done.returncode == 0, f"exit status {done.returncode} after\n{last}\n{done.stderr}"
    refused = int(last.splitlines()[-1].split()[0])
    assert refused > 500
