"""Gradients against numeric differences of the implementation itself, and of one result alone.

That they agree with the reference's analytic ones, on every backend, is in test_agreement.py.
"""

import numpy as np
import pytest

from tests import reference
from tests.agreement import assert_close, tolerance_of
from tests.support import ACTIVATIONS, IMPLEMENTATIONS, make_problem, run, run_gradients


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_numeric_differences(implementation, activation):
    problem = make_problem(
        3,
        (2, 3, 2, 3),
        mask="holes",
        activation=activation,
        state_shift=0.25,
        state_max=1.5,
        go_backwards=True,
    ).away_from_kinks(1e-4)
    got = run_gradients(problem, implementation, "float64")

    def loss_of(name):
        def loss(value):
            results = run(problem.but(**{name: value}), implementation, "float64")
            total = (results["outputs"] * problem.d_outputs).sum()
            return total + (results["state"] * problem.d_state).sum()

        return loss

    numeric = {
        name: reference.numeric_gradient(loss_of(name), array)
        for name, array in problem.arrays.items()
    }
    assert_close(got, numeric, 1e-7)


@pytest.mark.backend_neutral
@pytest.mark.parametrize("which", ["outputs", "state"])
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_only_one_result_is_used(implementation, which):
    problem = make_problem(4, (3, 5, 4, 6), mask="holes")
    unused = "d_state" if which == "outputs" else "d_outputs"
    problem = problem.but(**{unused: np.zeros_like(getattr(problem, unused))})
    got = run_gradients(problem, implementation, "float64", results=[which])
    tolerance = tolerance_of(implementation, "float64", problem.activation)
    assert_close(got, problem.expected_gradients(), tolerance)
