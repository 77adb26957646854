"""Model cards: what they tell of size, shapes, bits and accuracy is so."""

import pathlib
import sys

import pytest

import addrnn
from tests.test_docs import ROOT

pytest.importorskip("sklearn")
pytest.importorskip("safetensors")
EXAMPLE = ROOT / "examples" / "encrypted_digits"
NETWORKS = sorted(
    (ROOT / "benchmarks" / "results" / "encrypted_accuracy").glob("add_*.safetensors")
)


@pytest.fixture
def held_out(monkeypatch):
    """The digits that choose no setting, as the networks read them, and their labels."""
    monkeypatch.setattr(sys, "path", [str(EXAMPLE), *sys.path])
    import pixels

    images, labels = pixels.load()
    return pixels.normalized(images, 16), labels


def share_right(model, held_out):
    x, labels = held_out
    return (model.predict(x).argmax(-1) == labels).mean()


def test_the_card_of_the_encrypted_digits(held_out):
    card = (ROOT / "docs" / "models" / "encrypted-digits.md").read_text()
    path = EXAMPLE / "digits.safetensors"
    model = addrnn.load(path)
    gate, head = model.layers
    assert f"| {path.stat().st_size:,} bytes |" in card
    assert f"`AddGRU` of {gate.units} units, then a dense layer of {head.units} outputs" in card
    assert f"4 steps of {model.features} pixels" in card
    assert f"in {model.inputs.bits} bits |" in card
    assert f"weights {gate.weight_bits}, state {gate.state_bits}," in card
    low, high = gate.accumulator_range()
    assert f"at most {(high - low).max().item().bit_length()} |" in card
    assert f"reads {share_right(model, held_out):.2%}".replace("%", " %") in card


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: pathlib.Path(path).stem)
def test_the_card_of_the_networks_of_either_gate(path, held_out):
    """Those that multiply need the benchmark's own code, in another environment."""
    model = addrnn.load(path)
    _, units, _, _ = path.stem.split("_")
    assert model.layers[0].units == int(units) and model.features == 16
    assert 0.778 < share_right(model, held_out) < 0.943
