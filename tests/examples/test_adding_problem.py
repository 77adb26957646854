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


def test_only_addition_is_exact():
    import adding_exact

    errors = {(s.name, s.timesteps): s.error for s in adding_exact.compare([1000, 10_000])}
    for (name, timesteps), error in errors.items():
        if name == "AddGRU":
            assert error == 0, timesteps
        else:
            assert 0 < error < 1, (name, timesteps)  # an adder all the same


def test_solved_after_is_the_first_time_below():
    import adding_training

    errors = [0.2, 0.0099, 0.02, 0.001]
    run = adding_training.Run("GRU", 10, 0, errors, 0.01)
    assert run.solved_after == 2 * adding_training.BATCHES
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
    assert "| AddGRU | 0 | 0 | 0 |" in result.stdout
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
