"""Runs files in 64-bit Arm's LiteRT, in QEMU; see `make test-aarch64-litert`."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parents[3]
DELEGATE = ROOT / "build/aarch64/addrnn/_lib/libaddrnn_delegate.so"
# The oldest processor of 64-bit Arm that phones have, and one that has all that QEMU knows.
PROCESSORS = ("cortex-a53", "max")


def missing():
    """Whether there is no Python of 64-bit Arm."""
    return "ADDRNN_AARCH64_PYTHON" not in os.environ


def run(processor, *arguments):
    """Runs `tests.addrnn.lite.run_files` there, on a processor of `PROCESSORS`."""
    command = [
        *os.environ["ADDRNN_AARCH64_PYTHON"].split(),
        "-m",
        "tests.addrnn.lite.run_files",
    ]
    result = subprocess.run(
        [*command, DELEGATE, *arguments],
        env={**os.environ, "QEMU_CPU": processor, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, f"{result.stdout[-2000:]}\n{result.stderr[-2000:]}"
    assert result.stdout.endswith("done on aarch64\n")
