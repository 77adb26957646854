"""The fused op in worker processes: spawned ones, and ones forked after the parent has used it."""

import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.support import make_problem, needs_core, run

PROBLEM = (33, 20, 64, 130)  # large enough for the pool of threads to be at work


def _send(run_problem, results, seed):
    results.put(run_problem(make_problem(seed, PROBLEM))["state"])


def _states_from(context, run_problem, workers=2):
    """What worker processes compute, while the parent computes too."""
    results = context.Queue()
    processes = [
        context.Process(target=_send, args=(run_problem, results, 0)) for _ in range(workers)
    ]
    for process in processes:
        process.start()
    run_problem(make_problem(1, PROBLEM))
    states = [results.get(timeout=100) for _ in processes]
    for process in processes:
        process.join(timeout=100)
        assert process.exitcode == 0
    return states


def _run_fused(problem):
    return run(problem, "fused")


@pytest.mark.fused
def test_spawned_workers():
    expected = _run_fused(make_problem(0, PROBLEM))["state"]
    for state in _states_from(multiprocessing.get_context("spawn"), _run_fused):
        np.testing.assert_array_equal(state, expected)


FORK_CORE = """
import multiprocessing
import numpy as np
from addrnn import _core
from tests.keras_addrnn.ops.test_fused_processes import PROBLEM, _states_from
from tests.support import make_problem, run_core

_core.set_num_threads(3)
expected = run_core(make_problem(0, PROBLEM))["state"]  # the parent's threads are there now
for state in _states_from(multiprocessing.get_context("fork"), run_core, workers=4):
    np.testing.assert_array_equal(state, expected)
np.testing.assert_array_equal(run_core(make_problem(0, PROBLEM))["state"], expected)
print("all agree")
"""

# TensorFlow promises nothing in a forked process. An op that runs on the calling thread works, and
# those who fork (data loaders) rely on it.
FORK_TENSORFLOW = """
import os, sys
import numpy as np
import addrnn.tensorflow
from tests.keras_addrnn.ops.test_fused_processes import PROBLEM, _run_fused
from tests.support import make_problem

addrnn.tensorflow.set_num_threads(3)
problem = make_problem(0, PROBLEM)
expected = _run_fused(problem)["state"]
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(_run_fused(problem)["state"], expected) else 1)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0, status
np.testing.assert_array_equal(_run_fused(problem)["state"], expected)
print("all agree")
"""


def _run_script(script):
    """Runs it in a fresh process: this one has threads of its own, which must not be forked."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0 and "all agree" in done.stdout, done.stderr


@needs_core
def test_forked_workers_of_the_core():
    _run_script(FORK_CORE)


@pytest.mark.fused
def test_forked_child_of_tensorflow():
    _run_script(FORK_TENSORFLOW)


@needs_core
def test_core_needs_no_tensorflow():
    _run_script(
        "import sys\n"
        "from tests.support import make_problem, run_core\n"
        "run_core(make_problem(0, (2, 3, 4, 5)))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
        "print('all agree')"
    )
