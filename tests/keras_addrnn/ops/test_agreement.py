"""Fused and composed against the float64 reference, over sizes and settings.

Values and gradients, in the norm of `agreement.relative_error`.
"""

import itertools

import numpy as np
import pytest

from tests.agreement import check
from tests.support import ACTIVATIONS, IMPLEMENTATIONS, MASKS, draw_problem, make_problem, run

# One below, at and above the widths of registers and tiles, and several tiles.
WIDTHS = (1, 7, 8, 9, 16, 31, 64, 130)
BATCHES = (1, 5, 6, 7, 33)
STEPS = (0, 1, 2, 50)
FEW_SIZES = ((1, 2), (33, 0), (6, 1), (5, 50), (7, 2))  # (B, T)


@pytest.mark.fused
@pytest.mark.parametrize("features", WIDTHS)
@pytest.mark.parametrize("units", WIDTHS)
def test_fused_over_all_sizes(units, features):
    # They are about the kernels, which every backend calls: one backend is enough.
    for seed, (batch, steps) in enumerate(itertools.product(BATCHES, STEPS)):
        sizes = (batch, steps, features, units)
        check(draw_problem(seed, sizes), "fused", f"seed {seed}, sizes {sizes}")


@pytest.mark.backend_neutral
@pytest.mark.parametrize("units, features", list(zip(WIDTHS, WIDTHS[::-1], strict=True)))
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_some_sizes(implementation, units, features):
    for seed, (batch, steps) in enumerate(FEW_SIZES):
        sizes = (batch, steps, features, units)
        check(draw_problem(seed, sizes), implementation, f"seed {seed}, sizes {sizes}")


# 0.1 and 1.3 are no float32 numbers: both implementations must round them, and only once.
ROUNDED = (0.1, 1.3)


def problem_of_settings(activation, mask, go_backwards, state_shift, state_max):
    return make_problem(
        1,
        (3, 6, 5, 9),
        mask=mask,
        activation=activation,
        state_shift=state_shift,
        state_max=state_max,
        go_backwards=go_backwards,
    ).as_dtype("float32")


@pytest.mark.backend_neutral
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_masks_and_activations(implementation, activation, mask):
    go_backwards = MASKS.index(mask) % 2 == 1
    problem = problem_of_settings(activation, mask, go_backwards, *ROUNDED)
    check(problem, implementation)


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_settings(implementation, activation, mask, go_backwards):
    for state_shift, state_max in [(0.0, None), (0.25, None), (0.0, 1.5), ROUNDED]:
        problem = problem_of_settings(activation, mask, go_backwards, state_shift, state_max)
        check(problem, implementation, f"shift {state_shift}, bound {state_max}")


@pytest.mark.backend_neutral
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_without_rows_or_features(implementation):
    for sizes in [(0, 3, 2, 4), (2, 3, 0, 4), (0, 0, 2, 4), (0, 2, 0, 1)]:
        check(draw_problem(0, sizes), implementation, f"sizes {sizes}")


@pytest.mark.backend_neutral
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_nan_stays_visible(implementation):
    problem = make_problem(0, (3, 4, 2, 5), state_max=1.5)
    problem.inputs[1, 2, 0] = np.nan
    got = run(problem, implementation)
    assert np.isnan(got["state"][1]).all()
    assert np.isnan(got["outputs"][1, 2:]).all()
    finite = np.delete(got["outputs"], 1, axis=0)
    assert np.isfinite(finite).all()


@pytest.mark.backend_neutral
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_infinite_gate_keeps_or_replaces(implementation):
    problem = make_problem(0, (1, 1, 1, 2)).but(
        kernel=np.zeros((1, 4)),
        recurrent_kernel=np.zeros((2, 4)),
        bias=np.array([np.inf, -np.inf, 3.0, 3.0]),
        initial_state=np.array([[2.0, 2.0]]),
    )
    np.testing.assert_array_equal(run(problem, implementation)["state"], [[2.0, 3.0]])
