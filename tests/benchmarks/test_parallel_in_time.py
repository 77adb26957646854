"""Layers whose gates read inputs alone: the plan, what a run records, the tables."""

import json

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("the tasks are trained with TensorFlow", allow_module_level=True)
from benchmarks._harness import machine, records  # noqa: E402
from benchmarks._tasks import digits  # noqa: E402
from benchmarks.parallel_in_time import plan, report, tasks  # noqa: E402
from benchmarks.parallel_in_time.__main__ import EXPERIMENT  # noqa: E402


def test_the_plan_has_everything_once_and_one_seed_of_all_first():
    planned = list(plan.plan())
    assert len({json.dumps(each) for each in planned}) == len(planned)
    assert [each["seed"] for each in planned] == sorted(each["seed"] for each in planned)
    assert {each["task"] for each in planned} == set(tasks.TASKS)
    assert {each["layer"] for each in planned} == set(plan.LAYERS)


def test_layers_of_the_same_size_have_about_as_many_weights():
    counts = []
    for layer, units in plan.ALIKE.items():
        model = keras.Sequential([keras.Input((5, 1)), plan.LAYERS[layer](units)])
        counts.append(sum(np.prod(weight.shape) for weight in model.trainable_weights))
    assert max(counts) < 1.03 * min(counts)


def test_parities():
    bits, odd = tasks.parities(np.random.default_rng(0), 20, 9)
    assert bits.shape == odd.shape == (20, 9, 1) and set(bits.ravel()) == {0, 1}
    for row, answers in zip(bits[..., 0].astype(int), odd[..., 0], strict=True):
        assert [sum(row[: t + 1]) % 2 for t in range(9)] == list(answers)


@pytest.mark.parametrize("task", ["adding", "parity"])
def test_a_run_of_drawn_sequences(task, monkeypatch):
    monkeypatch.setattr(tasks.adding_task, "ERROR_EVERY", 2)
    settings = {"task": task, "T": 10, "layer": "minGRU, two layers", "units": 4, "batches": 4}
    found = [tasks.run({**settings, "seed": seed}, None) for seed in (0, 0, 1)]
    for each in found:
        assert len(each["history"]) == 2 and each["parameters"] > 0
        del each["seconds"]
    assert found[0] == found[1] != found[2]


def test_adding_ends_where_it_is_solved(monkeypatch):
    monkeypatch.setattr(tasks.adding_task, "ERROR_EVERY", 1)
    monkeypatch.setattr(tasks.adding_task, "SOLVED", np.inf)
    settings = {"task": "adding", "T": 10, "layer": "GRU", "units": 4, "batches": 4, "seed": 0}
    assert len(tasks.run(settings, None)["history"]) == 1


@pytest.mark.parametrize("task", ["pixels", "rows"])
def test_a_run_of_digits(task, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (64, 28, 28)).astype("uint8"), rng.integers(0, 10, 64)
    monkeypatch.setattr(digits, "load", lambda data_dir=None: [x, y, x, y])
    settings = {"task": task, "digits": 64, "layer": plan.TWO[0], "units": 4, "epochs": 2}
    found = tasks.run({**settings, "seed": 0}, None)
    assert len(found["history"]) == 2 and found["error"] == found["history"][-1]


def test_cells():
    settings = next(plan.adding())
    seeds = len(plan.SEEDS)
    result = {"history": [0.2, 0.009], "error": 0.009, "seconds": 3.4, "parameters": 1234}
    run = {"settings": {**settings, "seed": 1}, "result": result}
    (page,) = report.tables({json.dumps(run["settings"], sort_keys=True): run}).values()
    cells = f"64 units | 1,234 | 100 (2 of {seeds} seeds NOT RUN) | 3 |"
    line = f"| T = 200 | {settings['layer']}, {cells}"
    assert line in page.splitlines()
    assert "never (0.200)" == report._solved({"history": [0.2]})


def test_the_report_is_of_the_records():
    """What is committed is what the records make."""
    for name, text in report.tables(records.recorded(EXPERIMENT.records())).items():
        assert (machine.RESULTS / f"{name}.md").read_text() == text
