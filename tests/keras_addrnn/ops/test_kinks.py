"""Values exactly at the kinks: there every implementation has derivative 0, so all agree exactly.

Inputs are small integers, on which every type computes without rounding and update gates,
candidates, differences and bounds of exactly 0 are common.
"""

import itertools

import keras
import numpy as np
import pytest

from tests.support import IMPLEMENTATIONS, MASKS, make_kink_problem, run_both

# (dtype, sizes, seeds): bfloat16 holds integers up to 256, so it gets fewer steps and units.
EXACT = [
    ("float64", (4, 5, 2, 3), range(6)),
    ("float32", (4, 4, 2, 3), range(6)),
    ("float16", (4, 2, 2, 2), range(3)),
    ("bfloat16", (4, 2, 1, 2), range(3)),
]
# Elsewhere one dtype, as in test_agreement.py.
DTYPES = [case[0] for case in EXACT] if keras.backend.backend() == "tensorflow" else ["float32"]
BOUNDS = (None, 2.0)
SHIFTS = (0.0, 1.0)


def problems(activation, sizes, seeds):
    for seed, state_shift, state_max in itertools.product(seeds, SHIFTS, BOUNDS):
        yield make_kink_problem(
            seed,
            sizes,
            mask=MASKS[seed % len(MASKS)],
            activation=activation,
            state_shift=state_shift,
            state_max=state_max,
            go_backwards=seed % 2 == 1,
        )


def test_the_problems_do_meet_the_kinks():
    for activation in ("linear", "relu", "hard_tanh"):
        met = {"u": 0, "kept": 0, "written": 0, "bound": 0, "z_c": 0}
        for problem in problems(activation, (4, 5, 2, 3), range(6)):
            for name, distance in problem.kinks().items():
                met[name] += (distance == 0).sum()
        assert all(
            count > 10 for name, count in met.items() if name != "z_c" or activation != "linear"
        ), (activation, met)


@pytest.mark.backend_neutral
@pytest.mark.parametrize("dtype, sizes, seeds", [case for case in EXACT if case[0] in DTYPES])
@pytest.mark.parametrize("activation", ["linear", "relu", "hard_tanh"])
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_exact_agreement(implementation, activation, dtype, sizes, seeds):
    for problem in problems(activation, sizes, seeds):
        results, gradients = run_both(problem, implementation, dtype)
        for name, value in problem.expected().items():
            np.testing.assert_array_equal(results[name], value, err_msg=f"{name} {problem}")
        for name, value in problem.expected_gradients().items():
            np.testing.assert_array_equal(gradients[name], value, err_msg=f"d_{name} {problem}")
