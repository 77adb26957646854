"""Every instruction set that this machine can run, not just the best, agrees with the reference.

The choice is made once per process, by KERAS_ADDRNN_ISA, so each gets a test run of its own.
"""

import os
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.fused

FOLDER = pathlib.Path(__file__).parent
FILES = [
    "test_golden.py",
    "test_agreement_drawn.py",
    "test_low_precision.py",
    "test_min_fused.py",
]

RUN_TESTS = """
import sys
import pytest
from addrnn.tensorflow import _library

assert _library.load().text("instruction_set") == sys.argv[1]
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-k", "fused or core", *sys.argv[2:]]))
"""


def run(instruction_set, *command):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "KERAS_ADDRNN_ISA": instruction_set,
    }
    return subprocess.run(
        [sys.executable, *command],
        env=environment,
        cwd=FOLDER.parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("instruction_set", ["baseline", "avx2", "avx512", "neon"])
def test_agreement(instruction_set):
    from addrnn.tensorflow import _library

    loaded = _library.load()
    if instruction_set not in loaded.text("available_instruction_sets").split():
        pytest.skip(f"this machine or build does not have {instruction_set}")
    if instruction_set == loaded.text("instruction_set"):
        pytest.skip(f"{instruction_set} is the one that all the other tests run on")
    files = [str(FOLDER / file) for file in FILES]
    done = run(instruction_set, "-c", RUN_TESTS, instruction_set, *files)
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_that_does_not_exist_is_refused():
    done = run("sse9", "-c", "from addrnn.tensorflow import _library; _library.load()")
    assert done.returncode != 0
    assert "KERAS_ADDRNN_ISA" in done.stderr and "'sse9'" in done.stderr
