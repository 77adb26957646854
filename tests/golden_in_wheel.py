"""Runs the golden vectors in a wheel, in a Python that has NumPy and LiteRT and nothing else.

    PYTHONPATH=WHEEL_UNPACKED:. python -P tests/golden_in_wheel.py

The integers of the compiled module, and of LiteRT with the wheel's delegate, are the recorded ones.
"""

import functools
import platform
import sys
from unittest import mock

import numpy as np

import addrnn.lite
from addrnn import _compiled_core, executor

# The tests' helpers mark parameters with it, and nothing here is a test.
sys.modules.setdefault("pytest", mock.MagicMock())

from tests.golden import integer as vectors  # noqa: E402


def module():
    assert _compiled_core.problem() is None, _compiled_core.problem()
    calls = [(executor.run_layer, case) for case in vectors.layer_cases()]
    for case in vectors.layer_cases(vectors.MIN_LAYER_GROUPS):
        run = functools.partial(executor.run_min_add_gru, initial_inputs=case.initial_inputs)
        calls.append((run, case))
    for run, case in calls:
        outputs, state = run(case.layer, case.inputs, case.initial_state, case.mask)
        np.testing.assert_array_equal(outputs, case.outputs)
        np.testing.assert_array_equal(state, case.state)
    print(f"{len(calls)} layers by the module of {executor.__file__}")


def delegate():
    count = 0
    for case in vectors.model_cases():
        content = addrnn.lite.convert_integer(
            case.model, batch_size=None, mask=case.mask is not None
        )
        given = {"inputs": case.inputs, "mask": case.mask}
        run = addrnn.lite.Interpreter(model_content=content).get_signature_runner()
        answer = run(**{name: value for name, value in given.items() if value is not None})
        np.testing.assert_array_equal(answer["outputs"], case.outputs)
        count += 1
    print(f"{count} models by {addrnn.lite.delegate_path()}")


if __name__ == "__main__":
    module()
    delegate()
    print("done on", platform.machine())
