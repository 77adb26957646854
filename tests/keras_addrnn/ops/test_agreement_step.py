"""The one-step op against the reference on a sequence of one step, values and gradients."""

import itertools

import pytest

from tests.agreement import KINK_DISTANCE, assert_close, dtypes, tolerance_of
from tests.backends import results_and_gradients
from tests.support import ACTIVATIONS, IMPLEMENTATIONS, make_problem

pytestmark = pytest.mark.backend_neutral


def run_step(problem, implementation, dtype):
    """The new state, and its gradients by argument, in the names and shapes of the sequence op."""
    import keras_addrnn as ka

    settings = problem.settings
    del settings["go_backwards"]

    def step(tensors):
        state = ka.ops.add_gru_step(
            tensors["inputs"][:, 0],
            tensors["initial_state"],
            tensors["kernel"],
            tensors["recurrent_kernel"],
            tensors.get("bias"),
            **settings,
            implementation=implementation,
        )
        return {"state": state}

    return results_and_gradients(step, problem.arrays, {"state": problem.d_state}, dtype)


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (5, 1, 7, 8), (33, 1, 31, 130), (6, 1, 130, 9)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_step(implementation, activation, sizes):
    for seed, (shift, bound) in enumerate(itertools.product([0.0, 0.25], [None, 1.5])):
        problem = make_problem(
            seed,
            sizes,
            bias=seed % 2 == 0,
            activation=activation,
            state_shift=shift,
            state_max=bound,
        ).as_dtype("float32")
        problem = problem.but(d_outputs=0 * problem.d_outputs).away_from_kinks(KINK_DISTANCE)
        expected, gradients = problem.expected()["state"], problem.expected_gradients()
        for dtype in dtypes():
            tolerance = tolerance_of(implementation, dtype, activation)
            state, got = run_step(problem, implementation, dtype)
            assert_close(state, {"state": expected}, tolerance, dtype)
            assert_close(got, gradients, tolerance, f"{dtype} gradient of")


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_step_without_rows_or_features(implementation):
    for sizes in [(0, 1, 2, 3), (2, 1, 0, 3)]:
        problem = make_problem(0, sizes).as_dtype("float32")
        state, _ = run_step(problem, implementation, "float32")
        assert_close(state, {"state": problem.expected()["state"]}, 1e-5)
