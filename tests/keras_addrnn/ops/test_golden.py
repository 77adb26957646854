"""Every executor of the recurrence against the committed vectors of tests/golden."""

import pytest

from tests import golden
from tests.agreement import assert_close, dtypes, tolerance_of
from tests.support import CORE, FUSED, run_both, run_core


def reference_executor(problem, dtype):
    """The reference has not drifted from the vectors it once made."""
    return problem.expected(), problem.expected_gradients()


def op_executor(implementation):
    """`ops.add_gru` with one implementation."""
    return lambda problem, dtype: run_both(problem, implementation, dtype)


def core_executor(problem, dtype):
    """The C++ core without TensorFlow; it has no gradients."""
    return run_core(problem, dtype), None


# A new executor is one more line in each: a function of `(problem, dtype)` that returns the results
# `{"outputs", "state"}` and the gradients by argument, or None.
EXECUTORS = {
    "reference": reference_executor,
    "composed": op_executor("composed"),
    "fused": op_executor("fused"),
    "core": core_executor,
}
NAMES = ["reference", "composed", FUSED, CORE]


def test_files_are_there():
    assert {"adder", "combinations"} < set(golden.FILES)
    assert sum(file.startswith("sizes_") for file in golden.FILES) >= 10


@pytest.mark.backend_neutral
@pytest.mark.parametrize("dtype", dtypes())
@pytest.mark.parametrize("executor", ["composed", FUSED])
def test_op_over_sizes(executor, dtype):
    for file in golden.FILES:
        if file.startswith("sizes_"):
            check_executor(executor, file, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("file", golden.FILES)
@pytest.mark.parametrize("executor", NAMES)
def test_executor(executor, file, dtype):
    check_executor(executor, file, dtype)


def check_executor(executor, file, dtype):
    for label, problem, expected, expected_gradients in golden.load(file):
        tolerance = tolerance_of(executor, dtype, problem.activation)
        got, gradients = EXECUTORS[executor](problem, dtype)
        assert_close(got, expected, tolerance, label)
        if gradients and expected_gradients:
            assert_close(gradients, expected_gradients, tolerance, label)
