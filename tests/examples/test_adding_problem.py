"""The adding problem: its sequences, the exact adder, and the script as a person runs it."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.examples.conftest import EXAMPLES

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="it runs on TensorFlow"
)


def run(*flags):
    return subprocess.run(
        [sys.executable, str(EXAMPLES / "adding_problem.py"), *map(str, flags)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("timesteps", [2, 3, 50])
def test_problems_mark_one_value_in_each_half(timesteps):
    import adding_training

    x, sums = adding_training.problems(np.random.default_rng(0), 40, timesteps)
    assert x.shape == (40, timesteps, 2) and sums.shape == (40, 1)
    half = timesteps // 2
    for (values, marks), total in zip(np.moveaxis(x, -1, 1), sums, strict=True):
        assert set(marks) <= {0, 1}
        assert marks[:half].sum() == marks[half:].sum() == 1
        assert total == pytest.approx(sum(v for v, m in zip(values, marks, strict=True) if m))
        assert (values >= 0).all() and (values < 1).all()


def test_a_hard_gate_keeps_and_adds_as_float32_does():
    import adding_exact

    on_grid, _, kept = adding_exact.PROBLEMS
    problems = set()
    for each in adding_exact.compare([1000, 10_000]):
        problems.add(each.problem)
        if each.name != "AddGRU":
            assert each.error > 0, each
            if each.name == "GRU, gate ±20":
                assert each.error < 0.01, each  # an adder all the same
        elif each.problem in (on_grid, kept):
            assert each.error == 0, each
        else:
            x, expected = adding_exact.sequence(each.problem, each.timesteps)
            marked = x[0, :, 0] * x[0, :, 1]
            rounded = np.cumsum(marked, dtype="float32")[-1]
            assert each.error == abs(float(rounded) - expected) > 0, each
    assert problems == set(adding_exact.PROBLEMS)


@pytest.mark.parametrize("problem", range(3))
def test_what_is_added_by_hand(problem):
    import adding_exact

    x, expected = adding_exact.sequence(adding_exact.PROBLEMS[problem], 501)
    values, marks = x[0].astype(float).T
    assert set(marks) == {0, 1} and (0 <= values).all() and (values <= 1).all()
    assert expected == pytest.approx(values[marks == 1].sum(), rel=1e-15)
    assert (marks.sum() == 1 and marks[0] == 1) == (problem == 2)
    assert ((1024 * values == np.rint(1024 * values)).all()) == (problem == 0)


def test_solved_after_is_the_first_time_below():
    import adding_training

    errors = [0.2, 0.0099, 0.02, 0.001]
    run = adding_training.Run("GRU", 10, 0, errors, 0.01)
    assert run.solved_after == 2 * adding_training.STEPS_PER_EPOCH
    assert adding_training.Run("GRU", 10, 0, [0.2, 0.01], 0.01).solved_after is None


def test_the_multiplying_cell_against_its_equations():
    from multiplying_gru import MultiplyingGRUCell

    rng = np.random.default_rng(0)
    x, h = rng.normal(size=(3, 5)), rng.normal(size=(3, 2))
    cell = MultiplyingGRUCell(2, dtype="float64")
    cell.build((3, 5))
    weights = [rng.normal(size=variable.shape) for variable in cell.weights]
    cell.set_weights(weights)
    kernel, recurrent_kernel, bias = weights
    sums = x @ kernel + h @ recurrent_kernel + bias
    kept = 1 / (1 + np.exp(-sums[:, :2]))
    expected = kept * h + (1 - kept) * np.tanh(sums[:, 2:])
    state, (same,) = cell(x, [h])
    np.testing.assert_allclose(state, expected, rtol=1e-12)
    np.testing.assert_array_equal(state, same)
    assert MultiplyingGRUCell.from_config(cell.get_config()).get_config() == cell.get_config()


def test_the_script_draws_and_tells(tmp_path):
    pytest.importorskip("matplotlib")
    flags = ("--timesteps", 4, 7, "--layers", "AddGRU", "GRU", "--units", 3, "--batches", 50)
    result = run(*flags, "--output", tmp_path / "a" / "b")
    assert result.returncode == 0, result.stderr
    assert "| one number, kept | AddGRU | 0 | 0 | 0 |" in result.stdout
    for start in ("| 4 | AddGRU | 0 |", "| 4 | GRU | 0 |", "| 7 | AddGRU | 0 |", "| 7 | GRU | 0 |"):
        assert start in result.stdout
    assert (tmp_path / "a" / "b" / "curves.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--timesteps", "1"], "argument --timesteps: expected an integer of at least 2, got '1'"),
        (["--layers", "RNN"], "argument --layers: invalid choice: 'RNN'"),
        (["--output", "/dev/null/x"], "argument --output: cannot use '/dev/null/x'"),
    ],
)
def test_wrong_flags_are_one_line(flags, message):
    result = run(*flags)
    assert result.returncode == 2
    assert message in result.stderr and len(result.stderr.splitlines()) == 1
