"""The fused op of MinAddGRU against the reference, on every backend."""

import numpy as np
import pytest

from tests import min_agreement
from tests.agreement import TOLERANCE
from tests.min_problems import make_problem, run, run_both

pytestmark = [pytest.mark.backend_neutral, pytest.mark.fused]


def fused(problem, dtype):
    return run_both(problem, "fused", dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("sizes", min_agreement.SIZES)
def test_agrees_with_the_reference(sizes, dtype):
    min_agreement.check_sizes(fused, sizes, dtype)


@pytest.mark.parametrize("optional", min_agreement.OPTIONAL)
def test_without_an_optional_tensor(optional):
    min_agreement.check_without(fused, optional)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_whole_numbers_are_exact_at_every_kink(dtype):
    min_agreement.check_whole_numbers(fused, dtype)


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
