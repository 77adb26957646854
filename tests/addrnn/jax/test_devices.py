"""The op over several devices of one process: results and gradients are those of one device."""

import os
import subprocess
import sys

import pytest

from tests.support import needs_core

pytest.importorskip("jax")


@needs_core
@pytest.mark.parametrize("way", ["jit", "shard_map"])
def test_two_devices(way):
    environment = {
        **os.environ,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.addrnn.jax.two_devices", way],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "as on one device" in done.stdout
