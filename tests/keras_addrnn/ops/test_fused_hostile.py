"""The raw ops refuse whatever a graph could contain that they cannot compute, and never crash."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.support import needs_core


@pytest.mark.fused
def test_hostile_calls_are_refused():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.keras_addrnn.ops.hostile_calls"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    last = "\n".join(done.stdout.splitlines()[-3:])
    assert done.returncode == 0, f"exit status {done.returncode} after\n{last}\n{done.stderr}"
    refused = int(last.splitlines()[-1].split()[0])
    assert refused > 300


@needs_core
@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": (2, 3)},
        {"kernel": (4,)},
        {"kernel": (3, 10)},
        {"kernel": (4, 11)},
        {"recurrent_kernel": (5,)},
        {"recurrent_kernel": (5, 9)},
        {"recurrent_kernel": ()},
        {"bias": (9,)},
        {"bias": (1, 10)},
        {"initial_state": (3, 5)},
        {"initial_state": (2, 5, 1)},
        {"mask": (2, 4)},
        {"mask": (6,)},
        {"activation": "sigmoid"},
        {"state_shift": -1.0},
        {"state_shift": float("nan")},
        {"state_max": -1.0},
        {"state_max": 1e-45},
    ],
)
def test_core_refuses_what_does_not_fit(changes):
    from addrnn import _core

    shapes = {
        "inputs": (2, 3, 4),
        "kernel": (4, 10),
        "recurrent_kernel": (5, 10),
        "bias": (10,),
        "initial_state": (2, 5),
        "mask": (2, 3),
    }
    arguments = {
        name: np.zeros(changes.get(name, shape), bool if name == "mask" else np.float32)
        for name, shape in shapes.items()
    }
    _core.add_gru(**arguments | {n: np.zeros(s, arguments[n].dtype) for n, s in shapes.items()})
    settings = {name: value for name, value in changes.items() if name not in shapes}
    with pytest.raises(ValueError, match=next(iter(changes))):
        _core.add_gru(**arguments, **settings)


@needs_core
def test_core_refuses_arrays_that_it_would_have_to_copy():
    from addrnn import _core

    inputs = np.zeros((2, 3, 4), np.float32)
    kernel, recurrent_kernel = np.zeros((4, 10), np.float32), np.zeros((5, 10), np.float32)
    _core.add_gru(inputs, kernel, recurrent_kernel)
    for wrong in (inputs.astype(np.int32), np.zeros((2, 3, 8), np.float32)[:, :, ::2], None, "x"):
        with pytest.raises(TypeError):
            _core.add_gru(wrong, kernel, recurrent_kernel)
