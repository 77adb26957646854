"""What agreement of a MinAddGRU with the reference means.

`run(problem, dtype)` returns results and gradients, by name, as float64 NumPy.
"""

from tests.agreement import TOLERANCE, assert_close
from tests.min_problems import make_integer_problem, make_problem
from tests.support import ACTIVATIONS, MASKS

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
OPTIONAL = ["bias", "initial_state", "initial_inputs", "mask"]


def check_sizes(run, sizes, dtype):
    """With each mask and activation, forwards and backwards."""
    for seed, (mask, activation) in enumerate(zip(MASKS, ACTIVATIONS * 2, strict=False)):
        problem = make_problem(
            seed, sizes, mask=mask, activation=activation, go_backwards=seed % 2 == 1
        )
        problem = problem.as_dtype("float32").away_from_kinks(1e-5)
        results, gradients = run(problem, dtype)
        label, tolerance = f"{mask} {activation}", TOLERANCE[dtype]
        assert_close(results, problem.expected(), tolerance, label)
        assert_close(gradients, problem.expected_gradients(), 10 * tolerance, label)


def check_without(run, optional):
    """Without a tensor that may be left out."""
    problem = make_problem(3, (3, 7, 4, 9, 3), mask="holes").but(**{optional: None})
    results, gradients = run(problem, "float64")
    assert_close(results, problem.expected(), 1e-12)
    assert_close(gradients, problem.expected_gradients(), 1e-11)


def check_whole_numbers(run, dtype):
    """Exactly, at every kink."""
    problem = make_integer_problem(0, (6, 9, 4, 17, 3), mask="holes")
    results, gradients = run(problem, dtype)
    assert_close(results, problem.expected(), 0)
    assert_close(gradients, problem.expected_gradients(), 0)
