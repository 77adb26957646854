"""Networks whose gate multiplies, as circuits: they give what NumPy does, at their price."""

import json
import pathlib
import sys

import numpy as np
import pytest

from addrnn import IntegerModel, Quantization
from tests.addrnn.fhe import models

pytestmark = pytest.mark.fhe

BENCHMARKS = pathlib.Path(__file__).parents[3] / "benchmarks"
TIMESTEPS, UNITS = 3, 2


@pytest.fixture
def frontier(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import frontier

    yield frontier
    for name in ("frontier", "frontier_networks", "fhe_circuits", "fhe", "machine", "records"):
        sys.modules.pop(name, None)


def model():
    layers = models.recurrent(3, UNITS, state_max=7, candidate_max=7, state_bits=4)
    return IntegerModel(Quantization(2, 1.0), [layers, models.dense(UNITS, 2, input_bits=4)])


@pytest.mark.parametrize("form", ["mul, 4 PBS", "mul, 6 PBS"])
def test_a_network_that_multiplies(frontier, form):
    from fhe_circuits import compiled
    from frontier_networks import Network, answers

    network = Network(model(), TIMESTEPS, form, (-2, 1))
    circuit = compiled(network, 1e-4)
    # Before the first step there is no state: of the paper's products one is left.
    first, later = {"mul, 4 PBS": (4, 4), "mul, 6 PBS": (4, 6)}[form]
    assert circuit.programmable_bootstrap_count == UNITS * (first + (TIMESTEPS - 1) * later)
    digits = np.random.default_rng(0).integers(-2, 2, (5, TIMESTEPS, 3))
    expected = answers(network, digits)
    assert len({tuple(scores) for scores in expected}) > 2
    for digit, scores in zip(digits, expected, strict=True):
        np.testing.assert_array_equal(circuit.simulate(*digit), scores)


@pytest.mark.slow
def test_measures_and_prints(frontier, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(frontier, "TRAINED", tmp_path)
    monkeypatch.setattr(frontier, "SIZES", ((1, 5),))
    recurrent = models.recurrent(16, 1, state_max=7, candidate_max=7, state_bits=4)
    tiny = IntegerModel(Quantization(2, 1 / 3, -2), [recurrent, models.dense(1, 10, input_bits=4)])
    for settings in frontier.plan():
        tiny.save(frontier.path_of(settings))
    file = tmp_path / "frontier.jsonl"
    arguments = ["--measure", "--digits", "1", "--file", str(file)]
    frontier.main(arguments)
    lines = file.read_text().splitlines()
    results = [json.loads(line)["result"] for line in lines]
    assert [result["pbs"] for result in results[1:]] == [4 * 4, 4 + 3 * 6]
    images, labels = load_digits()
    scores = tiny.run(tiny.inputs.quantize(images))
    assert results[0]["accuracy"] == (scores.argmax(-1) == labels).mean()
    frontier.main(arguments)
    assert file.read_text().splitlines() == lines  # nothing is measured twice
    capsys.readouterr()
    frontier.main(["--table", "--file", str(file)])
    table = capsys.readouterr().out.splitlines()
    assert len(table) == 5 and table[2].startswith("| add | 1 | 5 | ")


def load_digits():
    """The digits held out, as the networks read them."""
    from encrypted_digits import pixels

    images, labels = pixels.load()
    return pixels.normalized(images, 16), labels


def test_what_is_not_trained_is_not_run(frontier, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(frontier, "TRAINED", tmp_path)
    frontier.main(["--measure", "--file", str(tmp_path / "frontier.jsonl"), "--table"])
    lines = capsys.readouterr().out.splitlines()
    planned = list(frontier.plan())
    assert all(line.endswith("is not trained: NOT RUN") for line in lines[: len(planned)])
    assert len(lines) == len(planned) + 2 and lines[len(planned)].startswith("| gate | units |")
