"""The fused op of MinAddGRU against the reference, on every backend."""

import numpy as np
import pytest

from tests.agreement import TOLERANCE, assert_close
from tests.min_problems import make_integer_problem, make_problem, run, run_both
from tests.support import ACTIVATIONS, MASKS

pytestmark = [pytest.mark.backend_neutral, pytest.mark.fused]

# B, T, D, H, w: one of everything, tile edges, windows longer than the sequence, more steps than a
# block, a chunk or a group of the backward pass.
SIZES = [
    (1, 1, 1, 1, 1),
    (3, 7, 4, 9, 2),
    (2, 5, 3, 33, 8),
    (5, 13, 17, 16, 3),
    (40, 6, 8, 31, 1),
    (1, 900, 5, 12, 3),
]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("sizes", SIZES)
def test_agrees_with_the_reference(sizes, dtype):
    for seed, (mask, activation) in enumerate(zip(MASKS, ACTIVATIONS * 2, strict=False)):
        problem = make_problem(
            seed, sizes, mask=mask, activation=activation, go_backwards=seed % 2 == 1
        )
        problem = problem.as_dtype("float32").away_from_kinks(1e-5)
        results, gradients = run_both(problem, "fused", dtype)
        assert_close(results, problem.expected(), TOLERANCE[dtype], f"{mask} {activation}")
        assert_close(
            gradients, problem.expected_gradients(), 10 * TOLERANCE[dtype], f"{mask} {activation}"
        )


@pytest.mark.parametrize("optional", ["bias", "initial_state", "initial_inputs", "mask"])
def test_without_an_optional_tensor(optional):
    problem = make_problem(3, (3, 7, 4, 9, 3), mask="holes").but(**{optional: None})
    results, gradients = run_both(problem, "fused", "float64")
    assert_close(results, problem.expected(), 1e-12)
    assert_close(gradients, problem.expected_gradients(), 1e-11)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_whole_numbers_are_exact_at_every_kink(dtype):
    problem = make_integer_problem(0, (6, 9, 4, 17, 3), mask="holes")
    results, gradients = run_both(problem, "fused", dtype)
    assert_close(results, problem.expected(), 0)
    assert_close(gradients, problem.expected_gradients(), 0)


@pytest.mark.parametrize("dtype, tolerance", [("float16", 1e-3), ("bfloat16", 1e-2)])
def test_a_slow_fade_is_not_rounded_away_in_16_bits(dtype, tolerance):
    steps = 1000
    problem = make_problem(0, (1, steps, 2, 1, 1))
    x = np.ones((1, steps, 2))
    x[:, 1:, 1] = 0  # a candidate of 1 in the first step alone
    kernel = np.array([[[-0.0004, 0], [0, 1]]])  # and then half a thousandth less a step
    problem = problem.but(inputs=x, kernel=kernel, bias=None, initial_state=None).as_dtype(dtype)
    got = run(problem, "fused", dtype)
    expected = 1 + problem.kernel[0, 0, 0] * np.arange(steps)
    np.testing.assert_allclose(got["outputs"][0, :, 0], expected, atol=tolerance)
    np.testing.assert_allclose(got["state"][0, 0], expected[-1], atol=tolerance)
