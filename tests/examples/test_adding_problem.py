"""The adding problem: its sequences, the exact adder, and learning."""

import keras
import numpy as np
import pytest

from tests.examples import support

tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="it takes long on other backends"
)


@pytest.mark.backend_neutral
@pytest.mark.parametrize("timesteps", [2, 3, 50])
def test_problems_mark_one_value_in_each_half(timesteps):
    problems = support.definitions("adding_problem")["problems"]
    x, sums = problems(np.random.default_rng(0), 40, timesteps)
    assert x.shape == (40, timesteps, 2) and sums.shape == (40, 1)
    half = timesteps // 2
    for (values, marks), total in zip(np.moveaxis(x, -1, 1), sums, strict=True):
        assert set(marks) <= {0, 1}
        assert marks[:half].sum() == marks[half:].sum() == 1
        assert total == pytest.approx(sum(v for v, m in zip(values, marks, strict=True) if m))
        assert (values >= 0).all() and (values < 1).all()


@tensorflow_only
def test_a_hard_gate_keeps_and_adds_as_float32_does():
    names = support.run("adding_problem", LENGTHS=(1000, 10_000), TIMESTEPS=4, BATCHES=50, UNITS=3)
    assert {kind for _, kind, _ in names["errors"]} == {"multiples", "any", "kept"}
    for (name, kind, timesteps), error in names["errors"].items():
        if name == "GRU":
            assert 0 < error < 0.01, (kind, timesteps)  # an adder all the same
        elif kind in ("multiples", "kept"):
            assert error == 0, (kind, timesteps)
        else:
            x, expected = names["marked_sequence"](kind, timesteps)
            marked = x[0, :, 0] * x[0, :, 1]
            rounded = np.cumsum(marked, dtype="float32")[-1]
            assert error == abs(float(rounded) - expected) > 0, timesteps
    assert set(names["losses"]) == {"AddGRU", "GRU"}


@pytest.mark.backend_neutral
@pytest.mark.parametrize("kind", ["multiples", "any", "kept"])
def test_what_is_added_by_hand(kind):
    x, expected = support.definitions("adding_problem")["marked_sequence"](kind, 501)
    values, marks = x[0].astype(float).T
    assert set(marks) == {0, 1} and (0 <= values).all() and (values <= 1).all()
    assert expected == pytest.approx(values[marks == 1].sum(), rel=1e-15)
    assert (marks.sum() == 1 and marks[0] == 1) == (kind == "kept")
    assert ((1024 * values == np.rint(1024 * values)).all()) == (kind == "multiples")


@tensorflow_only
def test_add_gru_learns_to_add(capsys):
    names = support.run("adding_problem", LENGTHS=(10,), TIMESTEPS=10, BATCHES=200)
    assert names["losses"]["AddGRU"][-1] < names["SOLVED"]
    assert "AddGRU solved after" in capsys.readouterr().out
    stop = names["StopWhenSolved"]()
    stop.set_model(names["model"])
    for loss, stops in ((0.0099, True), (0.01, False), (0.2, False), (float("nan"), True)):
        stop.on_epoch_end(0, {"val_loss": loss})
        assert names["model"].stop_training == stops
