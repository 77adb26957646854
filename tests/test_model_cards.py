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
    (ROOT / "benchmarks" / "results" / "encrypted_accuracy").glob("digits_minaddgru_*.safetensors")
)

LEAST, MOST = 90.6, 98.1


@pytest.fixture
def held_out(monkeypatch):
    """The digits that choose no setting, as the networks read them, and their labels."""
    monkeypatch.setattr(sys, "path", [str(EXAMPLE), *sys.path])
    import pixels

    images, labels = pixels.load()
    return pixels.normalized(images, 32), labels


def share_right(model, held_out):
    x, labels = held_out
    return (model.predict(x).argmax(-1) == labels).mean()


def test_the_card_of_the_encrypted_digits(held_out):
    card = (ROOT / "docs" / "models" / "encrypted-digits.md").read_text()
    path = EXAMPLE / "digits.safetensors"
    model = addrnn.load(path)
    gate, head = model.layers
    assert f"| {path.stat().st_size:,} bytes |" in card
    assert f"`MinAddGRU` of {gate.units} units, then a dense layer of {head.units} outputs" in card
    assert f"2 steps of {model.features} pixels" in card
    assert f"in {model.inputs.bits} bits |" in card
    assert f"weights {gate.weight_bits}, state {gate.state_bits}," in card
    low, high = gate.accumulator_range()
    assert f"at most {(high - low).max().item().bit_length()} |" in card
    assert f"reads {share_right(model, held_out):.2%}".replace("%", " %") in card


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: pathlib.Path(path).stem)
def test_the_card_of_the_networks_for_encryption(path):
    """Those that multiply need the benchmark's own code, in another environment."""
    from benchmarks.encrypted_accuracy import digits

    model = addrnn.load(path)
    _, _, steps, _, units, _ = path.stem.split("_")
    assert model.layers[0].units == int(units) and model.features * int(steps) == 64
    inputs, labels = digits.uci_test(int(steps))
    share = (model.run(inputs).argmax(-1) == labels).mean()
    assert LEAST <= round(100 * share, 1) <= MOST
    card = (ROOT / "docs" / "models" / "encrypted-networks.md").read_text()
    assert f"{LEAST} to {MOST} % of the 360 digits" in card
