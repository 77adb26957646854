"""Networks whose gate multiplies, as circuits: they give what NumPy does, at their price."""

import pathlib
import sys

import numpy as np
import pytest

from keras_addrnn.integer import Affine, IntegerModel
from tests.fhe import models

pytestmark = pytest.mark.fhe

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"
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
    return IntegerModel(Affine(2, 1.0), [layers, models.dense(UNITS, 2, input_bits=4)])


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


def test_a_network_that_adds_is_the_integer_model(frontier):
    from frontier_networks import Network, answers

    digits = np.random.default_rng(0).integers(-2, 2, (5, TIMESTEPS, 3))
    network = Network(model(), TIMESTEPS, "add", (-2, 1))
    np.testing.assert_array_equal(answers(network, digits), model().run(digits))


def test_what_is_not_trained_is_not_run(frontier, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(frontier, "TRAINED", tmp_path)
    frontier.main(["--measure", "--file", str(tmp_path / "frontier.jsonl"), "--table"])
    lines = capsys.readouterr().out.splitlines()
    planned = list(frontier.plan())
    assert all(line.endswith("is not trained: NOT RUN") for line in lines[: len(planned)])
    assert len(lines) == len(planned) + 2 and lines[len(planned)].startswith("| gate | units |")
