"""float16 and bfloat16: the fused op computes in float32, the composed one in the type itself."""

import numpy as np
import pytest

from tests import reference
from tests.agreement import assert_close
from tests.support import (
    ACTIVATIONS,
    IMPLEMENTATIONS,
    MASKS,
    make_problem,
    round_to,
    run,
    run_gradients,
)

pytestmark = pytest.mark.backend_neutral

EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7}  # from 1 to the next number
# The composed op rounds every intermediate, the fused one only the state of each step.
FORWARD_ROUNDINGS = {"composed": 4, "fused": 2}
GRADIENT_ROUNDINGS = {"composed": 8, "fused": 2}


def problems(sizes, dtype, mask="holes"):
    for seed, activation in enumerate(ACTIVATIONS):
        yield make_problem(
            seed,
            sizes,
            mask=mask,
            activation=activation,
            state_shift=0.25 if seed % 2 else 0.0,
            state_max=2.0 if seed % 3 else None,
        ).as_dtype(dtype)


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_forward(implementation, mask, dtype):
    for problem in problems((5, 6, 9, 17), dtype, mask):
        got = run(problem, implementation, dtype)
        tolerance = FORWARD_ROUNDINGS[implementation] * EPS[dtype]
        assert_close(got, problem.expected(), tolerance, problem.activation)


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_gradients(implementation, dtype):
    for problem in problems((64, 2, 3, 3), dtype):
        problem = problem.away_from_kinks(6 * EPS[dtype])
        assert np.count_nonzero(problem.d_state.any(axis=1)) >= 8  # rows that still have a gradient
        got = run_gradients(problem, implementation, dtype)
        tolerance = GRADIENT_ROUNDINGS[implementation] * EPS[dtype]
        assert_close(got, problem.expected_gradients(), tolerance, problem.activation)


@pytest.mark.fused
@pytest.mark.parametrize("dtype", EPS)
def test_fused_rounds_the_state_once_per_step(dtype):
    for problem in problems((5, 20, 9, 17), dtype, mask="none"):
        state, outputs = problem.initial_state, []
        for t in range(problem.inputs.shape[1]):
            step = problem.but(inputs=problem.inputs[:, t : t + 1], initial_state=state)
            state = round_to(reference.add_gru(*step.arguments, **step.settings)["state"], dtype)
            outputs.append(state)
        expected = {"outputs": np.stack(outputs, axis=1), "state": state}
        # One rounding apart at most: where float32 and float64 fall on two sides of a tie.
        assert_close(run(problem, "fused", dtype), expected, EPS[dtype], problem.activation)
