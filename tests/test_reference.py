"""The reference itself: its gradient against central differences, and a few cases by hand."""

import itertools

import numpy as np
import pytest

from tests import reference
from tests.agreement import assert_close
from tests.support import ACTIVATIONS, MASKS, make_problem

SIZES = (3, 4, 3, 4)  # B, T, D, H


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize(
    "state_shift, state_max", list(itertools.product([0.0, 0.25], [None, 1.5]))
)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_analytic_gradients_equal_numeric_ones(activation, state_shift, state_max, go_backwards):
    for seed, mask in enumerate(MASKS):
        problem = make_problem(
            seed,
            SIZES,
            mask=mask,
            activation=activation,
            state_shift=state_shift,
            state_max=state_max,
            go_backwards=go_backwards,
        ).away_from_kinks(1e-4)

        numeric = problem.numeric_gradients()
        assert_close(problem.expected_gradients(), numeric, 1e-7)


def test_one_step_by_hand():
    # u = 0.5 keeps all of h = 2 and takes 0.5 from c = relu(1); u = -0.5 takes 0.5 from h instead.
    result = reference.add_gru(
        np.array([[[1.0]]]), np.array([[0.5, -0.5, 1.0, 1.0]]), np.zeros((2, 4)), None, [[2.0, 2.0]]
    )
    np.testing.assert_array_equal(result["state"], [[2.5, 2.5]])


def test_state_is_bounded_on_both_sides():
    problem = make_problem(0, (5, 20, 3, 4), activation="linear", state_shift=0.5, state_max=0.75)
    outputs = problem.expected()["outputs"]
    assert outputs.min() == -0.5
    assert outputs.max() == 0.75


def test_masked_step_repeats_the_state_before_it():
    problem = make_problem(0, (1, 3, 2, 4)).but(mask=np.array([[False, True, False]]))
    outputs = problem.expected()["outputs"]
    np.testing.assert_array_equal(outputs[:, 0], problem.initial_state)
    np.testing.assert_array_equal(outputs[:, 2], outputs[:, 1])


def test_go_backwards_is_the_reversed_input():
    problem = make_problem(0, (2, 5, 3, 4), mask="holes", go_backwards=True)
    reversed_problem = problem.but(
        inputs=problem.inputs[:, ::-1], mask=problem.mask[:, ::-1], go_backwards=False
    )
    np.testing.assert_array_equal(
        problem.expected()["outputs"], reversed_problem.expected()["outputs"]
    )
