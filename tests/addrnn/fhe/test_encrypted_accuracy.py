"""Networks whose gate multiplies, as circuits: they give what NumPy does, at their price."""

import json

import numpy as np
import pytest

from addrnn import IntegerModel
from benchmarks._harness import machine
from benchmarks.encrypted_accuracy import __main__ as benchmark
from benchmarks.encrypted_accuracy import digits, plan
from benchmarks.encrypted_accuracy.networks import answers, compiled, sigmoid
from tests.addrnn.fhe import models

pytestmark = pytest.mark.fhe

TIMESTEPS, UNITS = 3, 2
SETTINGS = dict(state_max=7, candidate_max=7, state_bits=4)
LAYERS = {
    "minGRU": models.min_recurrent(
        3, UNITS, kernel_size=1, shift=np.array([0, 1, 1, 0], np.uint8), **SETTINGS
    ),
    "GRU": models.recurrent(3, UNITS, **SETTINGS),
}


def model(gate):
    dense = models.dense(UNITS, 2, input_bits=4)
    return models.model(LAYERS[gate], dense)


@pytest.mark.parametrize("gate", LAYERS)
def test_a_network_that_multiplies(gate):
    circuit, form = compiled(model(gate), 2, TIMESTEPS, (-2, 1), 1e-4)
    # A sigmoid, a candidate and a product of two look-ups; a copy of the last state at the end.
    assert form == "plain" and circuit.programmable_bootstrap_count == UNITS * (4 * TIMESTEPS + 1)
    inputs = np.random.default_rng(0).integers(-2, 2, (5, TIMESTEPS, 3))
    expected = answers(model(gate), inputs, 2)
    assert len({tuple(scores) for scores in expected}) > 1
    for digit, scores in zip(inputs, expected, strict=True):
        np.testing.assert_array_equal(circuit.simulate(digit), scores)


@pytest.mark.parametrize("gate", LAYERS)
def test_answers_are_near_the_formula(gate):
    """In float64, with a state of real numbers: `h = g h + (1 - g) c`."""
    layer, dense = model(gate).layers
    inputs = np.random.default_rng(1).integers(-2, 2, (20, TIMESTEPS, 3))
    kernel = layer.kernel.reshape(3, -1).astype(float)
    state = np.zeros((20, UNITS))
    for x in inputs.swapaxes(0, 1):
        sums = x @ kernel + layer.bias
        if gate == "GRU":
            sums = sums + np.rint(state) @ layer.recurrent_kernel
        u, z = np.split(sums / 2.0**layer.shift, 2, axis=1)
        g = 1 / (1 + np.exp(-np.clip(u, -8, 7.5) / 2))
        state = g * state + (1 - g) * np.clip(z, 0, 7)
    difference = answers(model(gate), inputs, 2) - (state @ dense.kernel + dense.bias)
    assert np.abs(difference).max() <= 3 * np.abs(dense.kernel).sum(0).max()
    assert np.abs(difference).mean() < 1


def test_the_sigmoid():
    # By hand: 0 is one half of 7, which rounds to the even 4; two units are 0.73 of it.
    whole = np.zeros(5, np.uint8)
    assert sigmoid(np.array([-100, 0, 1, 2, 100]), whole, 7, 2).tolist() == [0, 4, 4, 5, 7]
    # A sum of 7 is, by its shift, 7, 3.5 and 1.75 units: to whole ones 7, 4 and 2.
    sums, shifts = np.array([7, 7, 7]), np.array([0, 1, 2], np.uint8)
    for parts, units in ((2, (7, 3.5, 2)), (1, (7, 4, 2))):
        expected = np.rint(7 / (1 + np.exp(-np.array(units) / 2)))
        assert sigmoid(sums, shifts, 7, parts).tolist() == expected.tolist()


@pytest.fixture
def results(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "RESULTS", tmp_path)
    monkeypatch.setattr(plan, "TRAINED", tmp_path)
    return machine.folder() / "encrypted_accuracy.jsonl"


@pytest.mark.slow
def test_measures_and_reports(results, monkeypatch):
    sizes = {gate: [(2, 5, 1)] for gate in ("MinAddGRU", "minGRU")}
    monkeypatch.setattr(plan, "TASKS", (("digits", sizes),))
    monkeypatch.setattr(benchmark, "ENCRYPTED", 1)
    layer = models.min_recurrent(32, 1, kernel_size=1, input_zero_point=-1, **SETTINGS)
    tiny = IntegerModel(digits.INPUTS, [layer, models.dense(1, 10, input_bits=4)])
    for settings in plan.networks():
        for path in plan.paths_of(settings):
            tiny.save(path)
    benchmark.EXPERIMENT.main(["--run"])
    lines = results.read_text().splitlines()
    found = [json.loads(line)["result"] for line in lines]
    assert [result["exact"] for result in found] == [2, 2]
    inputs, labels = digits.uci_test(2)
    right = int((tiny.run(inputs).argmax(-1) == labels).sum())
    assert found[0]["right"] == [right] * 3 and found[0]["digits"] == 360
    benchmark.EXPERIMENT.main(["--run"])
    assert results.read_text().splitlines() == lines  # nothing is measured twice
    table = results.with_suffix(".md").read_text().splitlines()
    assert len(table) == 4 and table[2].startswith("| digits | MinAddGRU | 2 | 5 | 1 | ")


def test_what_is_not_trained_is_not_run(results, capsys):
    benchmark.EXPERIMENT.main(["--run", "--match", "task=digits"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 10 and all(line.endswith("is not trained: NOT RUN") for line in lines)
    assert not results.is_file()
