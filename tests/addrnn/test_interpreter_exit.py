"""The interpreter ends in peace while a daemon thread computes in the core."""

import pathlib
import subprocess
import sys

import pytest

from tests.support import needs_core

ROOT = pathlib.Path(__file__).parents[2]

pytestmark = needs_core

RUN = {
    "float": """
problem = support.make_problem(0, (64, 400, 64, 256))
run = lambda: support.run_core(problem)
""",
    "integer": """
layer = integer_problems.draw_layer(np.random.default_rng(0), 64, 256)
inputs = np.zeros((64, 400, 64), "int8")
run = lambda: executor.run_layer(layer, inputs)
""",
    "dense": """
layer = integer_problems.draw_dense(np.random.default_rng(0), 512, 512, 8)
inputs = np.zeros((20000, 512), "int8")
run = lambda: executor.run_dense(layer, inputs)
""",
}
CODE = """
import threading, time
import numpy as np
from addrnn import executor
from tests import integer_problems, support
{}
run()
begun = threading.Event()
def forever():
    while True:
        begun.set()
        run()
threading.Thread(target=forever, daemon=True).start()
begun.wait()
time.sleep(0.02)
"""


@pytest.mark.parametrize("kind", RUN)
def test_while_a_daemon_thread_is_in_the_core(kind):
    command = [sys.executable, "-c", CODE.format(RUN[kind])]
    for _ in range(3):
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, "")
