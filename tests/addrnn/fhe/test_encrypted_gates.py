"""The gates that are compared under encryption: what they compute, count and print."""

import json

import numpy as np
import pytest

from benchmarks._harness import machine
from benchmarks.encrypted_gates import __main__ as benchmark

pytestmark = pytest.mark.fhe

pytest.importorskip("concrete")

from benchmarks.encrypted_gates import circuits  # noqa: E402


def test_the_gates_have_circuits():
    assert benchmark.BASE in circuits.GATES


def everything(bits):
    """All `u`, `z` and `h` of so many bits."""
    most = 2 ** (bits - 1) - 1
    signed = np.arange(-most - 1, most + 1)
    axes = np.meshgrid(signed, signed, np.arange(most + 1), indexing="ij")
    return most, [axis.ravel() for axis in axes]


@pytest.mark.parametrize("bits", (3, 4, 6))
def test_gates(bits):
    most, (u, z, h) = everything(bits)
    outputs = {
        gate: circuits.expected(circuits.Step(gate, bits, u.size), (u, z, h))
        for gate in circuits.GATES
    }
    # docs/explanation/recurrence.md, with a state shift of 0.
    c = np.maximum(z, 0)
    added = np.maximum(h - np.maximum(-u, 0), 0) + np.maximum(c - np.maximum(u, 0), 0)
    for gate in ("add, 3 PBS", "add, 4 PBS"):
        np.testing.assert_array_equal(outputs[gate], added)
    g = np.rint(most / (1 + np.exp(-u * 4 / 2 ** (bits - 1)))) / most
    multiplied = g * h + (1 - g) * c
    # Two tables round a product, each by one half at most.
    assert np.abs(outputs["mul, 4 PBS"] - multiplied).max() <= 1
    assert np.abs(outputs["mul, 6 PBS"] - multiplied).max() <= 2


@pytest.mark.parametrize("bits", range(3, 9))
def test_a_gate_that_multiplies_stays_in_range(bits):
    most = 2 ** (bits - 1) - 1
    z, h = np.meshgrid(np.arange(most + 1), np.arange(most + 1))
    for u in range(-most - 1, most + 1):
        for gate in ("mul, 6 PBS", "mul, 4 PBS"):
            step = circuits.Step(gate, bits, z.size)
            output = circuits.expected(step, (np.full(z.size, u), z.ravel(), h.ravel()))
            assert output.min() >= 0 and output.max() <= most


def test_counts():
    counts = {
        gate: circuits.compiled(circuits.Step(gate, 3, 1), 1e-4).programmable_bootstrap_count
        for gate in circuits.GATES
    }
    assert counts == {gate: int(gate.split()[1]) for gate in circuits.GATES}


@pytest.mark.slow
def test_measures_and_reports(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "RESULTS", tmp_path)
    monkeypatch.setattr(benchmark, "UNITS", {3: (1,)})
    monkeypatch.setattr(benchmark, "LAYER_BITS", (3,))
    monkeypatch.setattr(benchmark, "LAYER_STEPS", 2)
    monkeypatch.setattr(benchmark, "REPEATS", 1)
    file = machine.folder() / "encrypted_gates.jsonl"
    benchmark.EXPERIMENT.main(["--run"])
    lines = file.read_text().splitlines()
    assert [json.loads(line)["settings"]["timesteps"] for line in lines] == [0, 2]
    assert json.loads(lines[0])["conditions"]["processor"] == machine.processor()
    benchmark.EXPERIMENT.main(["--run"])
    assert file.read_text().splitlines() == lines  # nothing is measured twice
    table = file.with_suffix(".md").read_text().splitlines()
    assert len(table) == 4 and table[2].startswith("| gate | 3 | 1 | ")
    assert table[3].startswith("| layer, 2 steps | 3 | 1 | ") and "100%" in table[3]
