"""The recorded runs: the plan is whole, the cells compute what they say, a run is not repeated."""

import argparse
import json

import keras
import numpy as np
import pytest

import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("the runs are of TensorFlow", allow_module_level=True)
pytest.importorskip("matplotlib")

from benchmarks._harness import machine, records  # noqa: E402
from benchmarks._tasks import adding as adding_task  # noqa: E402
from benchmarks._tasks import digits  # noqa: E402
from benchmarks.paper_experiments import __main__ as experiments  # noqa: E402
from benchmarks.paper_experiments import plan, report, runs, variants  # noqa: E402

EXPERIMENT = experiments.EXPERIMENT


def settings(task, **some):
    """The first planned run of a task that has these settings."""

    return next(
        each for each in plan.TASKS[task]() if all(each[name] == some[name] for name in some)
    )


def known(*runs):
    """Records of `(settings, result)`, as `records.recorded` gives them."""
    return {
        json.dumps(each, sort_keys=True): {"settings": each, "result": result}
        for each, result in runs
    }


def test_the_plan_names_what_there_is():

    assert set(plan.TASKS) == set(runs.TASKS) == set(report.TABLES)
    for name, layers in (
        ("adding", adding_task.LAYERS),
        ("mnist", digits.LAYERS),
        ("untrained", runs.UNTRAINED_LAYERS),
        ("averaging", runs.AVERAGING_LAYERS),
    ):
        assert {each["layer"] for each in plan.TASKS[name]()} == set(layers)
    assert {each["variant"] for each in plan.ablation()} == set(variants.VARIANTS)
    assert {each["problem"] for each in plan.exact()} == set(adding_task.BY_HAND)
    names = [json.dumps(each, sort_keys=True) for task in plan.TASKS.values() for each in task()]
    assert len(names) == len(set(names))
    adding = {(each["T"], each["layer"], each["seed"]) for each in plan.adding()}
    assert len(adding) == len(plan.ADDING_LENGTHS) * len(adding_task.LAYERS) * len(plan.SEEDS)


def last_states(layer, weights, x):
    layer.build(x.shape)
    for weight, value in zip(layer.trainable_weights, weights, strict=True):
        weight.assign(value)
    return keras.ops.convert_to_numpy(layer(x))


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_a_learnt_shift_is_a_shift_until_it_learns(shift):

    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 7, 3)).astype("float32")
    weights = [rng.normal(size=shape).astype("float32") for shape in ((3, 8), (4, 8), (8,))]
    ours = keras.layers.RNN(variants.LearnedShiftCell(4, shift))
    got = last_states(ours, [*weights, np.full(4, shift)], x)
    theirs = ka.AddGRU(4, activation="hard_tanh", state_shift=shift)
    np.testing.assert_allclose(got, last_states(theirs, weights, x), atol=1e-5)
    assert len(ours.trainable_variables) == 4


@pytest.mark.parametrize("sign", [1, -1])
def test_a_signed_gate_is_the_gate_and_its_mirror_image(sign):

    # One unit, by hand: u = x_0, c = x_1.
    weights = [np.eye(2, dtype="float32"), np.zeros((1, 2)), np.zeros(2)]
    steps = [(0, 3), (0.5, 2), (-1, 1), (-9, 0.5), (9, 4)]
    x = np.array([[(u, sign * c) for u, c in steps]], "float32")
    cell = keras.layers.RNN(variants.SignedCell(1), return_sequences=True)
    # 3; 3 + 2 - 0.5; 4.5 - 1 + 1; all of it taken away, and 0.5; kept, and nothing of 4.
    expected = sign * np.array([3, 4.5, 4.5, 0.5, 0.5])
    np.testing.assert_allclose(last_states(cell, weights, x)[0, :, 0], expected, atol=1e-6)


def test_averages():

    x, y = runs.averages(np.random.default_rng(0), 3, 2, "given")
    first = (1 - x[:, 0, 1]) * x[:, 0, 0]
    second = x[:, 1, 1] * first + (1 - x[:, 1, 1]) * x[:, 1, 0]
    np.testing.assert_allclose(y[..., 0], np.stack([first, second], 1), atol=1e-6)
    x, _ = runs.averages(np.random.default_rng(0), 3, 2, "fixed")
    np.testing.assert_allclose(x[..., 1], 0.9, atol=1e-6)


@pytest.fixture
def recording(monkeypatch, tmp_path):
    """Runs what is missing of some tasks; the records are a file of the test's own."""
    monkeypatch.setattr(machine, "RESULTS", tmp_path)
    monkeypatch.setattr(machine, "use_threads", lambda _: None)
    monkeypatch.setattr(runs, "UNFINISHED", tmp_path / "unfinished")

    def run(only):
        EXPERIMENT.main(["--run", "--match", f"task=({only})$", "seed=0$"])
        return records.lines(EXPERIMENT.records())

    return run


@pytest.fixture
def some_digits(monkeypatch):
    """In place of MNIST."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, 28, 28)).astype("uint8")
    labels = rng.integers(0, 10, 64).astype("uint8")
    found = [images, labels, images, labels]
    monkeypatch.setattr(digits, "load", lambda directory=None: found)


def test_what_is_recorded_is_not_run_again(recording, monkeypatch):

    adding = {**settings("adding"), "T": 4, "batches": 100, "units": 2}
    averaging = {**settings("averaging"), "T": 3, "units": 2, "batches": 50}
    monkeypatch.setitem(plan.TASKS, "adding", lambda: [adding])
    monkeypatch.setitem(plan.TASKS, "averaging", lambda: [averaging])
    lines = recording("adding|averaging")
    assert [line["settings"] for line in lines] == [adding, averaging]
    assert 1 <= len(lines[0]["result"]["errors"]) <= 2
    result = lines[1]["result"]
    assert len(result["errors"]) == 1
    assert 0 < result["variance"] < 1 / 12  # of an average of numbers from 0 to 1
    assert recording("adding|averaging") == lines


class Interrupted(Exception):
    pass


@pytest.fixture
def interrupted(recording, some_digits, monkeypatch):
    """A run on MNIST of three epochs, broken off when it has recorded the second."""

    run = {**settings("mnist"), "units": 2, "epochs": 3, "digits": 64}
    monkeypatch.setitem(plan.TASKS, "mnist", lambda: [run])
    record = records.record

    def interrupt(path, line):
        record(path, line)
        if line["settings"]["epoch"] == 2:
            raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(records, "record", interrupt)
        with pytest.raises(Interrupted):
            recording("mnist")


def epochs_of(lines):
    return [line["settings"]["epoch"] for line in lines]


def test_an_interrupted_run_goes_on(interrupted, recording):
    lines = recording("mnist")
    # The second epoch's weights were not kept yet when it broke off.
    assert epochs_of(lines) == [1, 2, 2, 3]
    assert recording("mnist") == lines


def test_a_run_goes_on_after_a_kill_while_its_backup_was_written(interrupted, recording, tmp_path):
    (metadata,) = (tmp_path / "unfinished").rglob("training_metadata.json")
    metadata.write_text("")
    assert epochs_of(recording("mnist")) == [1, 2, 1, 2, 3]


def test_a_run_whose_first_epochs_are_not_recorded_is_missing(interrupted, recording, tmp_path):
    EXPERIMENT.records().unlink()
    assert epochs_of(recording("mnist")) == [2, 3]
    assert epochs_of(recording("mnist")) == [2, 3, 1, 2, 3]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run", "--match", "task=mnist"], "need --data-dir, the IDX files of MNIST"),
        (["--match", "("], "'(' is no regular expression: missing )"),
    ],
)
def test_wrong_options(recording, capsys, flags, message):
    with pytest.raises(SystemExit):
        EXPERIMENT.main(flags)
    assert message in capsys.readouterr().err


def test_ablations_start_from_weights_of_their_seed(some_digits):

    options = argparse.Namespace(data_dir=None)
    for on in ("adding", "mnist"):
        run = {**settings("ablation", on=on), "units": 4}
        run |= {"T": 4, "batches": 50} if on == "adding" else {"epochs": 1}
        found = []
        for number_before in (1, 2):
            keras.utils.set_random_seed(number_before)
            runs.ablation(run, options, lambda _, result, to=found: to.append(result))
        name = "errors" if on == "adding" else "loss"
        assert found[0][name] == found[1][name]


def test_variants_start_from_the_same_weights():

    def first_weights(name):
        keras.utils.set_random_seed(1)
        layer = variants.VARIANTS[name](5)
        layer.build((None, 3, 2))
        named = {each.path.split("/")[-1]: each.numpy() for each in layer.weights}
        return named["kernel"], named["recurrent_kernel"]

    expected = first_weights("as it is")
    for name in variants.VARIANTS:
        kernel, recurrent_kernel = first_weights(name)
        np.testing.assert_array_equal(kernel, expected[0], name)
        if name != "orthogonal":
            np.testing.assert_array_equal(recurrent_kernel, expected[1], name)


def test_tables():

    problem = adding_task.BY_HAND[1]
    found = known((settings("exact", problem=problem, T=1000), {"AddGRU": 0.0, "GRU": 1.234e-3}))
    assert report.exact(found).splitlines()[2:] == [
        f"| {problem} | AddGRU | NOT RUN | 0 | NOT RUN |",
        f"| {problem} | GRU | NOT RUN | 0.0012 | NOT RUN |",
    ]

    first = settings("adding", layer="GRU", T=200)
    found = known((first, {"errors": [0.5, 0.02, 0.009]}))
    assert "| 200 | NOT RUN | 150 (2 of 3 seeds NOT RUN) | NOT RUN |" in report.adding(found)
    found = known((first, {"errors": [0.5, 0.0204]}))
    assert "| never (0.020) (2 of 3 seeds NOT RUN) |" in report.adding(found)

    run = settings("mnist", layer="GRU", order="rows")
    result = {"val_accuracy": 0.5, "loss": 0.25, "processor_seconds": 4.0}
    epochs = [({**run, "epoch": epoch}, result) for epoch in (1, 2)]
    epochs.append(({**run, "epoch": 4}, result))  # the third is missing
    assert (
        "| rows, 60,000 digits, 50 epochs | GRU | 1 of 3 | 50.00 % after 2 (interrupted) | NOT RUN "
        "| 50.00 % | 0.2500 |"
    ) in report.mnist(known(*epochs))
    epochs = [
        ({**run, "epoch": epoch}, {**result, "val_accuracy": epoch / 100})
        for epoch in range(1, plan.MNIST_EPOCHS + 1)
    ]
    assert "| GRU | 1 of 3 | 50.00 % | 45.50 % | 50.00 % | 0.2500 |" in report.mnist(known(*epochs))
    layers = [row.split(" | ")[1] for row in report.mnist({}).splitlines()[2:]]
    assert layers == [
        *digits.LAYERS,
        *("AddGRU, falling rate", "GRU, falling rate"),
        *2 * ("AddGRU", "GRU", "LSTM", "multiplying", "AddGRU, shift 0.5"),
    ]

    run = settings("untrained", layer="LSTM", normalised=True)
    row = report.untrained(known((run, {"correlation": 0.25, "common": 1.0}))).splitlines()[-1]
    missing = "(2 of 3 seeds NOT RUN)"
    assert row == f"| LSTM | yes | 0.25 {missing} | 1.00 {missing} |"

    run = settings("ablation", variant="signed", on="mnist")
    found = known((run, {"val_accuracy": [0.1, 0.25]}))
    row = "| signed | 25.00 % (2 of 3 seeds NOT RUN) | NOT RUN |"
    assert row in report.ablation(found)

    runs = [{**settings("averaging", layer="LSTM", weight="fixed"), "seed": s} for s in (0, 1, 2)]
    result = {"errors": [0.9, 0.003], "variance": 0.1}
    found = known(*((run, result) for run in runs))
    assert "| LSTM | 3.00 %, 3.00 %, 3.00 % | NOT RUN |" in report.averaging(found)


def test_reports_are_of_the_records():
    """What is committed is what the records make; nothing else is written."""
    known = records.recorded(EXPERIMENT.records())
    for name, text in report.tables(known).items():
        assert (machine.RESULTS / f"{name}.md").read_text() == text


def test_normalisation_takes_away_what_untrained_outputs_have_in_common():

    kept = []
    for normalised in (False, True):
        settings = {"layer": "AddGRU, gate bias 0", "normalised": normalised, "seed": 0}
        runs.untrained(settings, None, lambda _, result: kept.append(result))
    assert kept[1]["common"] < 0.8 * kept[0]["common"]


def test_tables_and_plots_are_written(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "RESULTS", tmp_path)
    run = settings("averaging")
    result = {"errors": [0.9, 0.1], "variance": 0.1}
    records.record(EXPERIMENT.records(), {"settings": run, "result": result})
    EXPERIMENT.main([])
    folder = tmp_path / "paper_experiments"
    text = (folder / "exact.md").read_text()
    assert text.startswith("| marked values | adder |")
    assert {path.stem for path in folder.glob("*.md")} == set(report.TABLES)
    for name in ("adding", "mnist", "ablation", "averaging"):
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    EXPERIMENT.main([])
    assert (folder / "exact.md").read_text() == text


def test_the_plan_is_listed(recording, capsys):
    EXPERIMENT.main(["--list", "--match", "task=exact", "T=100$"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and all(line.startswith("missing  {") for line in lines)
