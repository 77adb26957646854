"""Networks whose gate multiplies, as circuits: they give what NumPy does, at their price."""

import json

import numpy as np
import pytest

from addrnn import IntegerModel, Quantization
from benchmarks._harness import machine
from benchmarks.encrypted_accuracy import __main__ as benchmark
from benchmarks.encrypted_accuracy import digits, plan
from benchmarks.encrypted_accuracy.networks import Network, answers
from tests.addrnn.fhe import models

pytestmark = pytest.mark.fhe

TIMESTEPS, UNITS = 3, 2


def model():
    layers = models.recurrent(3, UNITS, state_max=7, candidate_max=7, state_bits=4)
    return IntegerModel(Quantization(2, 1.0), [layers, models.dense(UNITS, 2, input_bits=4)])


@pytest.mark.parametrize("form", ["mul, 4 PBS", "mul, 6 PBS"])
def test_a_network_that_multiplies(form):
    from benchmarks.encrypted_gates.circuits import compiled

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


@pytest.fixture
def results(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "RESULTS", tmp_path)
    monkeypatch.setattr(plan, "TRAINED", tmp_path)
    return machine.folder() / "encrypted_accuracy.jsonl"


@pytest.mark.slow
def test_measures_and_reports(results, monkeypatch):
    monkeypatch.setattr(plan, "SIZES", ((1, 5),))
    monkeypatch.setattr(benchmark, "DIGITS", 1)
    recurrent = models.recurrent(16, 1, state_max=7, candidate_max=7, state_bits=4)
    tiny = IntegerModel(Quantization(2, 1 / 3, -2), [recurrent, models.dense(1, 10, input_bits=4)])
    for settings in plan.networks():
        tiny.save(plan.path_of(settings))
    benchmark.EXPERIMENT.main(["--run"])
    lines = results.read_text().splitlines()
    found = [json.loads(line)["result"] for line in lines]
    assert [result["pbs"] for result in found[1:]] == [4 * 4, 4 + 3 * 6]
    _, images, _, labels = digits.load()
    scores = tiny.run(tiny.inputs.quantize(digits.steps(images)))
    assert found[0]["accuracy"] == (scores.argmax(-1) == labels).mean()
    benchmark.EXPERIMENT.main(["--run"])
    assert results.read_text().splitlines() == lines  # nothing is measured twice
    table = results.with_suffix(".md").read_text().splitlines()
    assert len(table) == 5 and table[2].startswith("| add | 1 | 5 | ")


def test_what_is_not_trained_is_not_run(results, capsys):
    benchmark.EXPERIMENT.main(["--run"])
    lines = capsys.readouterr().out.splitlines()
    planned = list(plan.forms())
    assert len(lines) == len(planned)
    assert all(line.endswith("is not trained: NOT RUN") for line in lines)
    assert not results.is_file()
