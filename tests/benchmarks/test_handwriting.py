"""The benchmark of handwriting runs the demonstration, and records what it writes."""

import json
import pathlib
import subprocess
import types

import pytest

from benchmarks import handwriting, handwriting_search
from benchmarks._harness import machine, records

LAYERS = ("AddGRU", "GRU", "LSTM")
RESULT = {
    "parameters": 1234, "recurrent_parameters": 1000, "epochs": 2, "seconds_per_epoch": 4.0,
    "processor_seconds_per_epoch": 8.0, "greedy": {"cer": 0.02, "wer": 0.1},
    "beam": {"cer": 0.02, "wer": 0.1}, "val_loss": [2.5, 1.25],
    "litert": {"builtin": {"bytes": 2000, "milliseconds": 1.5, "cer": 0.02}},
}  # fmt: skip
SETTINGS = {
    "data": "digits", "source": "a test", "images": 6000, "test_images": 600, "epochs_at_most": 2,
    "learning_rate": 0.002, "batch_size": 64,
}  # fmt: skip


@pytest.fixture
def demonstration(monkeypatch, tmp_path):
    """In place of it, a function that trains nothing; and what it would have trained."""
    trained = []

    def run(command, check, env):
        layers = command[command.index("--layers") + 1 : command.index("--data")]
        words = command[command.index("--data") :]
        flags = dict(zip(words[::2], words[1::2], strict=True))
        assert check and env["TF_NUM_INTRAOP_THREADS"] == "1"
        ending = f"_epochs{flags['--epochs']}_seed{flags['--seed']}"
        folder = pathlib.Path(flags["--output"]) / f"{flags['--data']}_words"
        for layer in layers:
            directory = folder / (layer.lower() + ending)
            assert not directory.exists()
            directory.mkdir(parents=True)
            trained.append((layer, int(flags["--seed"])))
            read = [f"{layer} {flags['--seed']}: word"]
            result = {**RESULT, "layer": layer, "read": read}
            (directory / "results.json").write_text(json.dumps(result))
        picture = folder / ("_".join(layers).lower() + ending + ".png")
        picture.write_text(" ".join(layers) + ending)

    monkeypatch.setattr(machine, "RESULTS", tmp_path)
    monkeypatch.setattr(handwriting, "BUILD", tmp_path / "build")
    monkeypatch.setattr(subprocess, "run", run)
    experiment = handwriting.EXPERIMENT
    monkeypatch.setitem(experiment.__dict__, "conditions", lambda: {"machine": "2026, a machine"})
    return trained


def main(*flags):
    handwriting.EXPERIMENT.main(["--run", "--match", "data=fonts", *flags])


def recorded():
    return [
        (line["settings"]["layer"], line["settings"]["seed"])
        for line in records.lines(handwriting.EXPERIMENT.records())
    ]


def test_what_is_recorded_is_not_trained_again(demonstration, tmp_path):
    main("seed=0")
    assert demonstration == recorded() == [(layer, 0) for layer in LAYERS]
    picture = tmp_path / "handwriting_fonts.png"
    assert picture.read_text() == "AddGRU GRU LSTM_epochs30_seed0"
    main()
    assert demonstration == recorded() == [(layer, seed) for seed in range(3) for layer in LAYERS]
    line = records.lines(handwriting.EXPERIMENT.records())[1]
    assert line["result"] == {**RESULT, "read": ["GRU 0: word"]}


def test_another_network_is_not_taken_for_trained(demonstration, monkeypatch, tmp_path):
    main("seed=0")
    picture = tmp_path / "handwriting_fonts.png"
    before = picture.read_text()
    monkeypatch.setitem(handwriting.OF_ADDGRU, "gate_bias", 0.25)
    main("seed=0")
    assert demonstration[3:] == [("AddGRU", 0)]
    assert picture.read_text() == before  # a picture shows all layers


def test_a_demonstration_that_fails_is_told(demonstration, monkeypatch):
    def fail(command, check, env):
        raise subprocess.CalledProcessError(2, command)

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(subprocess.CalledProcessError):
        main()
    assert recorded() == []


def known(*lines):
    return {records.key_of(line["settings"]): line for line in lines}


def test_tables():
    """The recorded lines become one table for each dataset, layers beside each other."""
    settings = {**SETTINGS, "layer": "GRU"}
    other = {**RESULT, "greedy": {"cer": 0.04, "wer": 0.2}}
    third = {**RESULT, "seconds_per_epoch": 99.0}  # another machine's times do not count
    text = handwriting.tables(
        known(
            {"settings": {**settings, "seed": 0}, "result": RESULT, "machine": "a machine"},
            {"settings": {**settings, "seed": 1}, "result": other, "machine": "a machine"},
            {"settings": {**settings, "seed": 2}, "result": third, "machine": "another"},
        )
    )["handwriting"]
    assert "digits: a test. 6,000 images to train on, 600 to test; 2 epochs at most" in text
    assert "| GRU | 3 | 2.67 %, 2.00 % | 13.33 %, 10.00 % | 2 | 4.0, 8.0 |" in text


def test_table_of_the_runs():
    settings = {**SETTINGS, "layer": "GRU", "seed": 1}
    later = {**settings, "normalization": "layer", "rate": "falling"}
    result = {**RESULT, "greedy": {"cer": 0.0426}, "processor_seconds_per_epoch": 20.04}
    machine = "2026-11-25, a processor"
    lines = [{"settings": s, "result": result, "machine": machine} for s in (later, settings)]
    assert handwriting.runs(known(*lines)).splitlines()[2:] == [
        f"| digits, 6,000 images | {later} | {later} | GRU | 1 | 4.26 % | 20.0 (2026-11-25) "
        "| 2.50 1.25 |"
        for later in ("no", "yes")
    ]


def test_table_of_the_search():
    settings = {"data": "fonts", "epochs": 12, "variant": "GRU norm"}

    def rows(losses):
        result = {"cer": 0.5, "val_loss": losses}
        text = handwriting_search.tables(known({"settings": settings, "result": result}))
        return text["handwriting_search"].splitlines()[2:]

    assert rows([3, 2]) == ["| fonts | 12 | GRU norm | 50.00 % | 3.00 2.00 |"]
    (row,) = rows(list(range(1, 14)))
    assert row.endswith("| 1.00 2.00 3.00 4.00 5.00 6.00 7.00 8.00 9.00 10.00 … 13.00 |")


def test_what_is_recorded_hides_no_setting():
    for line in records.lines(handwriting.EXPERIMENT.records()):
        assert not line["result"].keys() & line["settings"].keys()


@pytest.mark.slow
def test_the_demonstration_is_run(monkeypatch, tmp_path):
    for needed in ("tensorflow_datasets", "jiwer", "matplotlib"):
        pytest.importorskip(needed)
    monkeypatch.setattr(handwriting, "BUILD", tmp_path)
    settings = {"data": "digits", "images": 40, "epochs_at_most": 1, "seed": 0}
    options = types.SimpleNamespace(data_dir=None)
    output = handwriting.demonstrate(settings, ["GRU"], options)
    (path,) = output.glob("*/gru_epochs1_seed0/results.json")
    result = json.loads(path.read_text())
    assert result.keys() > {"greedy", "litert", "val_loss", "processor_seconds", "read"}
    (info,) = output.rglob("dataset_info.json")  # as handwriting_search reads it
    assert info.is_file()
