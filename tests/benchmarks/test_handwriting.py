"""The benchmark of handwriting: a picture of what all layers read, also after an interruption."""

import argparse
import json
import pathlib
import types

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("the runs are of TensorFlow", allow_module_level=True)
for _needed in ("tensorflow_datasets", "jiwer", "matplotlib"):
    pytest.importorskip(_needed)

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"
COUNT = 20  # test images
LAYERS = ("AddGRU", "GRU", "LSTM")


@pytest.fixture
def benchmark(monkeypatch, tmp_path):
    """The module, which trains nothing, and what it would have trained and drawn."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import benchmarks.handwriting as module

    texts = [f"word {n}" for n in range(COUNT)]
    words = types.SimpleNamespace(
        train=None, validation=None, test=None, sizes=[100, 10, COUNT],
        name="digits_1", source="a test", alphabet=lambda: module.pipeline.Alphabet(texts),
    )  # fmt: skip
    trained, pictures = [], []

    def train(kind, *batches, seed, directory, **more):
        assert not directory.exists()
        directory.mkdir(parents=True)
        trained.append((kind, seed))
        return kind, seed

    def evaluate(run, images, texts, alphabet):
        kind, seed = run
        return [f"{kind} {seed}: {text}" for text in texts], {"layer": kind}

    def save_picture(path, images, texts, read, title):
        assert len(images) == len(texts) == COUNT
        pictures.append((path.name, read))

    images = np.zeros((COUNT, 32, 128, 1), "float32")
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    monkeypatch.setattr(module, "RECORDS", tmp_path / "handwriting.jsonl")
    monkeypatch.setattr(module, "UNFINISHED", tmp_path / "unfinished")
    monkeypatch.setattr(module.sources, "load", lambda *_, **__: words)
    monkeypatch.setattr(module.pipeline, "arrays", lambda _: (images, texts))
    monkeypatch.setattr(module.pipeline, "batches", lambda *_, **__: None)
    monkeypatch.setattr(module.training, "train", train)
    monkeypatch.setattr(module.evaluation, "evaluate", evaluate)
    monkeypatch.setattr(module.report, "save_picture", save_picture)
    return types.SimpleNamespace(module=module, trained=trained, pictures=pictures)


def options(*layers, seeds=1, epochs=2):
    return argparse.Namespace(
        data="digits", data_dir=None, images=100, epochs=epochs, layers=layers, seeds=seeds
    )


def read(seed):
    return {kind: [f"{kind} {seed}: word {n}" for n in range(16)] for kind in LAYERS}


def test_the_picture_is_of_all_records(benchmark):
    benchmark.module.record(options("LSTM", "AddGRU"))
    assert benchmark.pictures == []
    benchmark.module.record(options(*LAYERS))
    assert benchmark.trained == [("LSTM", 0), ("AddGRU", 0), ("GRU", 0)]
    assert benchmark.pictures == [("handwriting_digits.png", read(seed=0))]
    assert list(benchmark.pictures[0][1]) == list(LAYERS)
    benchmark.module.record(options(*LAYERS, seeds=2))
    assert benchmark.pictures[1:] == benchmark.pictures[:1]


def test_the_picture_is_of_one_seed_and_one_setting(benchmark):
    benchmark.module.record(options("AddGRU", "GRU"))
    file = benchmark.module.RECORDS
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    del lines[0]["read"]  # as the first records were
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    benchmark.module.record(options("LSTM"))
    benchmark.module.record(options("AddGRU", epochs=3))
    assert benchmark.pictures == []
    benchmark.module.record(options(*LAYERS, seeds=2))
    assert benchmark.pictures == [("handwriting_digits.png", read(seed=1))]


def test_another_network_is_not_taken_for_trained(benchmark, monkeypatch):
    benchmark.module.record(options("AddGRU"))
    monkeypatch.setattr(benchmark.module.model, "GATE_BIAS", 0.25)
    benchmark.module.record(options("AddGRU"))
    assert benchmark.trained == [("AddGRU", 0), ("AddGRU", 0)]


def test_the_picture_is_of_the_layers_of_the_example(benchmark):
    benchmark.module.record(options("AddGRU"))
    file = benchmark.module.RECORDS
    file.write_text(file.read_text().replace('"AddGRU"', '"AddGRU, gate bias 0"'))
    benchmark.module.record(options(*LAYERS))
    assert benchmark.pictures == [("handwriting_digits.png", read(seed=0))]


def test_what_is_measured_hides_no_setting(benchmark, monkeypatch):
    from handwriting import evaluation, model, pipeline

    monkeypatch.undo()
    monkeypatch.setattr(evaluation.litert, "convert", lambda run: {})
    alphabet = pipeline.Alphabet(["ab"])
    names = ("loss", "val_loss", "learning_rate", "seconds", "processor_seconds")
    run = types.SimpleNamespace(
        kind="GRU",
        model=model.build("GRU", alphabet.size),
        history={name: [0.5, 0.25] for name in names},
        per_epoch=lambda name: 1.0,
    )
    images = np.zeros((2, 32, 128, 1), "float32")
    _, result = evaluation.evaluate(run, images, ["a", "b"], alphabet)
    assert result["val_loss"] == [0.5, 0.25]
    assert not result.keys() & set(benchmark.module.SETTINGS)
