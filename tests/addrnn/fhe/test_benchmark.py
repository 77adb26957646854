"""The gates that are compared under encryption: what they compute, count and print."""

import json
import pathlib
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.fhe

BENCHMARKS = pathlib.Path(__file__).parents[3] / "benchmarks"
MODULES = "fhe", "fhe_circuits", "machine", "records"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import fhe

    yield fhe
    for name in MODULES:
        sys.modules.pop(name, None)


def everything(bits):
    """All `u`, `z` and `h` of so many bits."""
    most = 2 ** (bits - 1) - 1
    signed = np.arange(-most - 1, most + 1)
    axes = np.meshgrid(signed, signed, np.arange(most + 1), indexing="ij")
    return most, [axis.ravel() for axis in axes]


@pytest.mark.parametrize("bits", (3, 4, 6))
def test_gates(benchmark, bits):
    most, (u, z, h) = everything(bits)
    outputs = {
        gate: benchmark.expected(benchmark.Step(gate, bits, u.size), (u, z, h))
        for gate in benchmark.GATES
    }
    # docs/recurrence.md, with a state shift of 0.
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
def test_a_gate_that_multiplies_stays_in_range(benchmark, bits):
    most = 2 ** (bits - 1) - 1
    z, h = np.meshgrid(np.arange(most + 1), np.arange(most + 1))
    for u in range(-most - 1, most + 1):
        for gate in ("mul, 6 PBS", "mul, 4 PBS"):
            step = benchmark.Step(gate, bits, z.size)
            output = benchmark.expected(step, (np.full(z.size, u), z.ravel(), h.ravel()))
            assert output.min() >= 0 and output.max() <= most


def test_counts(benchmark):
    from fhe_circuits import compiled

    counts = {
        gate: compiled(benchmark.Step(gate, 3, 1), 1e-4).programmable_bootstrap_count
        for gate in benchmark.GATES
    }
    assert counts == {gate: int(gate.split()[1]) for gate in benchmark.GATES}


@pytest.mark.slow
def test_measures_and_prints(benchmark, tmp_path, capsys):
    file = tmp_path / "fhe.jsonl"
    arguments = ["--bits", "3", "--units", "1", "--timesteps", "2", "--repeats", "1"]
    arguments += ["--file", str(file)]
    benchmark.main(arguments)
    lines = file.read_text().splitlines()
    assert [json.loads(line)["settings"]["timesteps"] for line in lines] == [0, 2]
    benchmark.main(arguments)
    assert file.read_text().splitlines() == lines  # nothing is measured twice
    capsys.readouterr()
    benchmark.main(["--table", "--file", str(file)])
    table = capsys.readouterr().out.splitlines()
    assert len(table) == 4 and table[2].startswith("| gate | 3 | 1 | ")
    assert table[3].startswith("| layer, 2 steps | 3 | 1 | ") and "100%" in table[3]
