"""One layer for another: the tasks' data, the plan, what a run records, the tables."""

import json
import math

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("the tasks are trained with TensorFlow", allow_module_level=True)
from benchmarks._harness import machine, records  # noqa: E402
from benchmarks._tasks import demand, learning, recorded_series, sentences  # noqa: E402
from benchmarks.swap import plan, report, tasks  # noqa: E402
from benchmarks.swap.__main__ import EXPERIMENT  # noqa: E402
from benchmarks.swap.tasks import handwriting, images, made_up, text  # noqa: E402


def test_columns_have_the_class_of_their_digit():
    images.columns.cache_clear()
    (x, y), (x_test, y_test) = images.columns(6, 2)
    assert x.shape == (6, 140, 28) and y.shape == (6, 140)
    assert x_test.shape == (2, 140, 28) and y_test.shape == (2, 140)
    assert x.dtype == "float32" and 0 == x.min() < x.max() <= 1
    assert (y.reshape(6, 5, 28) == y[:, ::28, None]).all()
    digits, labels, *_ = images.digits.load()
    place = np.flatnonzero((digits == (255 * x[0, :28].T).round()).all((1, 2)))
    assert labels[place[0]] == y[0, 0]
    images.columns.cache_clear()
    np.testing.assert_array_equal(images.columns(6, 2)[0][0], x)


def test_digit_words_read_what_they_say():
    handwriting.digit_words.cache_clear()
    (x, texts), (x_test, _) = handwriting.digit_words(8, 3)
    assert x.shape == (8, 32, 64, 1) and x_test.shape == (3, 32, 64, 1)
    assert 0 == x.min() < x.max() <= 1
    assert all(1 <= len(word) <= 3 and word.isdigit() for word in texts)
    ink = (x > 0.5).any((1, 3)).sum(1)
    longest, shortest = (f(range(8), key=lambda i: len(texts[i])) for f in (max, min))
    assert ink[longest] > ink[shortest]
    handwriting.digit_words.cache_clear()
    (again, same_texts), _ = handwriting.digit_words(8, 3)
    np.testing.assert_array_equal(again, x)
    assert same_texts == texts


def test_copies_keep_the_order_of_the_tokens():
    x, answers = made_up.copies(np.random.default_rng(0), 50)
    assert x.shape == (50, 72) and answers.shape == (50, 8)
    assert (x[:, 64:] == made_up.ASK).all()
    for row, answer in zip(x[:, :64], answers, strict=True):
        assert (row[row != made_up.NOISE] - 1 == answer).all()
    assert answers.min() == 0 and answers.max() == 7
    same, _ = made_up.copies(np.random.default_rng(0), 50)
    np.testing.assert_array_equal(same, x)


def test_characters_are_followed_by_the_next():
    (x, y), (x_test, y_test), kinds = text.character_sequences()
    assert x.shape[1:] == y.shape[1:] == (100,)
    np.testing.assert_array_equal(x[:, 1:], y[:, :-1])
    np.testing.assert_array_equal(x[1:, 0], y[:-1, -1])
    assert 0 <= x.min() and max(x.max(), y_test.max()) < kinds
    assert len(x_test) == pytest.approx((len(x) + len(x_test)) / 10, abs=1)


def test_sentences(monkeypatch, tmp_path):
    for name, verb in (("keras", "Train"), ("scipy", "Invert")):
        (tmp_path / name).mkdir()
        for number in range(12):
            (tmp_path / name / f"{number}.py").write_text(
                f'def f():\n    """{verb} the {"very " * number}large {name} thing.\n\n    No."""\n'
            )
    monkeypatch.setattr(sentences, "LIBRARIES", ("keras", "scipy"))
    origin = type("Spec", (), {})

    def find(name):
        origin.origin = str(tmp_path / name / "__init__.py")
        return origin

    monkeypatch.setattr(sentences.importlib.util, "find_spec", find)
    words, _ = next(sentences.documented("keras"))
    assert words == ("train", "the", "large", "thing")
    (x, y), (x_test, y_test) = sentences.load()
    assert len(x) + len(x_test) == 24 and len(x_test) > 0
    assert x.shape[1] == x_test.shape[1] == sentences.LONGEST
    assert set(y) == {0, 1} and (x[:, 4:] == sentences.PAD).any()
    np.testing.assert_array_equal(sentences.load()[0][0], x)


def test_a_library_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(sentences.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="scipy's docstrings"):
        next(sentences.documented("scipy"))
    with pytest.raises(ModuleNotFoundError, match="requirements/bench.txt"):
        recorded_series.load("plaid")


def test_demand():
    (x, y), (x_test, y_test), unit = demand.load()
    assert x.shape[1:] == (168, 1) and y.shape == (len(x), 24) and len(x_test) == len(y_test)
    assert unit > 0 and abs(x.mean()) < 0.1 and x.std() == pytest.approx(1, abs=0.1)
    # The day after a week begins where the next windows' weeks end.
    np.testing.assert_array_equal(x[24, -24:, 0], y[0])


@pytest.mark.parametrize(
    ("name", "every", "counts", "shape", "classes"),
    [("japanese_vowels", 1, (270, 370), (29, 12), 9), ("plaid", 8, (537, 537), (168, 1), 11)],
)
def test_recorded_series(name, every, counts, shape, classes):
    pytest.importorskip("sktime")
    (x, y), (x_test, y_test) = recorded_series.load(name, every)
    assert (x.shape, x_test.shape) == ((counts[0], *shape), (counts[1], *shape))
    assert set(y) == set(y_test) == set(range(classes))
    real = (x != recorded_series.PADDING).any(-1)
    lengths = real.sum(1)
    # Only the end is padding: no real step is taken for it.
    assert (real == (np.arange(shape[0]) < lengths[:, None])).all()
    assert lengths.min() < lengths.max()
    np.testing.assert_allclose(x[real].mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(x[real].std(0), 1, atol=1e-4)


def test_padded():
    got = recorded_series.padded([np.ones((1, 2)), 2 * np.ones((3, 2))], 3)
    np.testing.assert_array_equal(got[:, :, 0], [[1, 0, 0], [2, 2, 2]])


def one_weight(rate):
    """A model `y = w x` with `w = 1`."""
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model, layer


def test_the_losses_are_of_single_batches():
    # At a rate of 0 the losses are 1, 9, 1, and again: the squares of the inputs.
    model, _ = one_weight(0.0)
    x = np.array([[1.0], [3.0], [1.0]], "float32")
    errors = iter([0.5, 0.25])
    options = {"batch_size": 1, "shuffle": False}
    found = learning.learn(model, x, 0 * x, error=lambda: next(errors), epochs=2, **options)
    assert (found["first_loss"], found["worst_loss"]) == (1, 9)
    assert (found["error"], found["history"]) == (0.25, [0.5, 0.25])
    assert found["seconds"] >= 0


def test_training_stops_where_the_loss_is_no_number():
    model, _ = one_weight(1e30)
    x = np.ones((8, 1), "float32")
    found = learning.learn(model, x, 0 * x, error=lambda: 0.5, epochs=5, batch_size=1)
    assert found["error"] is None and found["worst_loss"] is None and found["history"] == [None]
    assert found["first_loss"] == 1
    json.dumps(found, allow_nan=False)


def test_training_stops_where_the_error_is_no_number():
    model, _ = one_weight(0.0)
    x = np.ones((2, 1), "float32")
    found = learning.learn(model, x, x, error=lambda: math.nan, epochs=5)
    assert found["error"] is None and found["history"] == [None] and found["worst_loss"] == 0


def test_a_task_takes_any_constructor_and_its_seed_decides(monkeypatch):
    few = np.random.default_rng(0)
    x, y = few.integers(0, 256, (64, 28, 28)).astype("uint8"), few.integers(0, 10, 64)
    monkeypatch.setattr(images.digits, "load", lambda: [x, y, x, y])
    made = []

    def make(units, **options):
        made.append((units, options))
        return keras.layers.SimpleRNN(units, **options)

    found = [tasks.run("mnist_rows", make, seed) for seed in (0, 0, 1)]
    assert made == 3 * [(64, {})]
    for each in found:
        del each["seconds"]
    assert found[0] == found[1] != found[2]
    assert len(found[0]["history"]) == 5 and 0 <= found[0]["error"] <= 1


def test_a_task_without_its_data_leaves_the_others(monkeypatch, capsys):
    def run(name, make, seed):
        if name == "plaid":
            raise ModuleNotFoundError(recorded_series.NEEDS)
        return {"error": 0.5}

    monkeypatch.setattr(tasks, "run", run)
    monkeypatch.setattr(machine, "use_threads", lambda _: None)
    kept = []
    for task in ("plaid", "forecasting"):
        EXPERIMENT.run(plan.settings(task, "GRU", 0), None, lambda *line: kept.append(line))
    assert kept == [(plan.settings("forecasting", "GRU", 0), {"error": 0.5})]
    assert "plaid NOT RUN: " in capsys.readouterr().out


def test_the_plan_has_everything_once_and_one_seed_of_all_first():
    planned = list(plan.plan())
    assert len({json.dumps(each) for each in planned}) == len(planned)
    windows = len(plan.OF_WINDOWS) * len(plan.WINDOWS)
    assert len(planned) == 3 * (len(tasks.TASKS) * len(plan.LAYERS) + windows)
    assert [each["seed"] for each in planned] == sorted(each["seed"] for each in planned)
    assert set(plan.SEARCH) < set(tasks.TASKS)
    assert set(plan.SEARCH) | set(plan.HELD_OUT) == set(tasks.TASKS)
    assert not set(plan.SEARCH) & set(plan.HELD_OUT)


def known(errors, task="plaid", worst=3.0):
    """Records of a task: a list of errors, by seed, for each layer."""
    return {
        json.dumps(settings, sort_keys=True): {
            "settings": settings,
            "result": {
                "error": error,
                "first_loss": 2.0,
                "worst_loss": None if error is None else worst,
                "history": [error],
                "solved_at": None if error is None or error > 0.01 else 150,
                "seconds": 1.0,
            },
        }
        for layer, each in errors.items()
        for seed, error in enumerate(each)
        for settings in [plan.settings(task, layer, seed)]
    }


def row(text, name):
    return next(line for line in text.splitlines() if line.startswith(f"| {name} |"))


@pytest.fixture
def three_layers(monkeypatch):
    """Tables of these three alone."""
    others = ["LSTM", "AddGRU"]
    monkeypatch.setattr(report, "OTHERS", others)
    monkeypatch.setattr(plan, "LAYERS", {name: plan.LAYERS[name] for name in ("GRU", *others)})


def test_nothing_is_recorded(three_layers):
    (page,) = report.tables({}).values()
    assert row(page, "plaid") == "| plaid | held out | NOT RUN | NOT RUN | NOT RUN |"
    assert row(page, "characters").startswith("| characters | chosen on |")
    assert "| held out | AddGRU / GRU | 0 of 6 | NOT RUN | NOT RUN |" in page


def test_ratios_are_of_the_means(three_layers):
    found = known({"GRU": [0.1, 0.2, 0.3], "AddGRU": [0.1, 0.1, 0.1], "LSTM": [0.4, 0.4, 0.4]})
    line = row(report.errors(found), "plaid")
    assert line == "| plaid | held out | 0.2 (0.1, 0.2, 0.3) | 2.00 | 0.50 |"
    assert row(report.losses(found), "plaid") == "| plaid | 1.5 | 1.5 | 1.5 |"


def test_a_ratio_is_of_seeds_that_both_have(three_layers):
    found = known({"GRU": [0.2, 0.4], "AddGRU": [0.3]})
    line = row(report.errors(found), "plaid")
    assert "| 0.3 (0.2, 0.4) (1 of 3 seeds NOT RUN) | NOT RUN |" in line
    assert line.endswith("| 1.50 (2 of 3 seeds NOT RUN) |")


def test_median_and_worst(three_layers):
    found = known({"GRU": [0.1], "AddGRU": [0.3]}, "mnist_rows")  # chosen on
    found |= known({"GRU": [0.1], "AddGRU": [0.2]}, "plaid")
    found |= known({"GRU": [0.1], "AddGRU": [0.1]}, "forecasting")
    text = report.ratios(found)
    assert "| all | AddGRU / GRU | 3 of 13 | 2.00 | 3.00 |" in text
    assert "| held out | AddGRU / GRU | 2 of 6 | 1.50 | 2.00 |" in text
    assert "| all | LSTM / GRU | 0 of 13 | NOT RUN | NOT RUN |" in text


def test_what_diverged_is_the_worst(three_layers):
    found = known({"GRU": [0.1, 0.1], "AddGRU": [0.1, None]})
    assert "| diverged |" in report.ratios(found)
    assert row(report.errors(found), "plaid").endswith("| diverged (1 of 3 seeds NOT RUN) |")
    assert "| diverged (1 of 3" in row(report.losses(found), "plaid")


def test_when_the_adding_problem_was_solved(three_layers):
    found = known({"AddGRU": [0.001, 0.2]}, "adding_400")
    text = report.solved(found)
    line = "| adding_400 | NOT RUN | NOT RUN | 150, never (1 of 3 seeds NOT RUN) |"
    assert row(text, "adding_400") == line


def test_errors_by_kernel_size():
    one, two, four = plan.WINDOWS
    found = known({plan.WINDOWED: [0.3], one: [0.1], two: [0.2], four: [0.4]}, "mnist_rows")
    lines = report.windows(found).splitlines()
    assert "| task | 1 | 2 | 3, the default | 4 |" in lines
    line = row(report.windows(found), "mnist_rows")
    cells = [cell.split()[0] for cell in line.strip("| ").split(" | ")]
    assert cells == ["mnist_rows", "0.1", "0.2", "0.3", "0.4"]


def test_the_report_is_of_the_records():
    """What is committed is what the records make."""
    found = records.recorded(EXPERIMENT.records())
    for name, page in report.tables(found).items():
        assert not found or (machine.RESULTS / f"{name}.md").read_text() == page
