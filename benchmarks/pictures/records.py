"""Numbers of the recorded tables, by machine."""

import re
from typing import NamedTuple

from benchmarks import compare
from benchmarks._harness import machine

# The standard shapes (batch, steps, features, units) of `benchmarks.layers`.
BATCHES = ("(64, 28, 28, 128)", "(64, 32, 64, 128)", "(32, 200, 256, 512)")
STREAMS = ("(1, 100, 40, 128)", "(1, 100, 256, 512)")
PEERS = ("GRU", "LSTM", "GRU, XLA", "GRU, JAX", "PyTorch GRU", "PyTorch LSTM")
NAMES = {
    "intel_xeon_2.80ghz": "Intel Xeon, AVX-512",
    "intel_xeon_avx512": "Intel Xeon 2, AVX-512",
    "amd_epyc_zen5": "AMD EPYC, Zen 5",
    "amd_epyc_avx512": "AMD EPYC, AVX-512",
    "amd_epyc_avx2": "AMD EPYC, AVX2",
}


class Time(NamedTuple):
    """Milliseconds of a layer; None where a pass was not measured."""

    forward: float | None
    training: float | None


class Training(NamedTuple):
    """Of a network: test digits read wrongly, in percent, and an epoch's time / GRU's."""

    error: float
    share: float


def pages(name):
    """The recorded pages of one name, by machine, in the order of `NAMES`.

    Folders without times, of accuracies alone, are left out.
    """
    paths = machine.RESULTS.glob(f"*/{name}.md")
    found = {path.parent.name: path for path in paths if _is_of_a_machine(path)}
    order = [*NAMES, *sorted(found.keys() - NAMES)]
    return {each: found[each] for each in order if each in found}


def _is_of_a_machine(path):
    return (path.parent / "layers_1.md").exists() or path.read_text().startswith("20")


def number(cell):
    """The first number of a cell; None where there is none, or nothing was run."""
    if cell.startswith("NOT RUN"):
        return None
    found = re.search(r"-?\d[\d,]*(?:\.\d+)?", cell)
    return float(found[0].replace(",", "")) if found else None


def times(path):
    """What a page `layers_*.md` holds: `{(shape, layer): Time}`."""
    _, _, rows = compare.read(path)
    return {(row[0], row[1]): Time(number(row[2]), number(row[3])) for row in rows}


def ratios(peer, layer, shapes, passes="training", name="layers_1"):
    """How many times as fast a layer is as its peer: `{machine: [for each shape]}`."""
    found = {}
    for each, path in pages(name).items():
        table = times(path)
        pairs = [
            [getattr(table.get((shape, name)), passes, None) for name in (peer, layer)]
            for shape in shapes
        ]
        if all(a and b for a, b in pairs):
            found[each] = [a / b for a, b in pairs]
    return found


def fastest_peers(layer, shapes=BATCHES, passes="training"):
    """How many times as fast a layer is as the fastest peer, for each machine and shape.

    Machines on which Keras' own layers alone were measured are left out.
    """
    found = []
    for path in pages("layers_1").values():
        table = times(path)
        for shape in shapes:
            peers = [
                getattr(time, passes)
                for (measured, name), time in table.items()
                if measured == shape and name in PEERS and getattr(time, passes)
            ]
            ours = getattr(table.get((shape, layer)), passes, None)
            if ours and len(peers) > 2:
                found.append(min(peers) / ours)
    return found


def span(numbers):
    """ "2.3 to 6.4": the least and the greatest."""
    return f"{min(numbers):.1f} to {max(numbers):.1f}"


def everywhere(ratios_by_machine):
    return [ratio for ratios in ratios_by_machine.values() for ratio in ratios]


def memory():
    """`{machine: {layer: share of GRU's peak}}`."""
    found = {}
    for each, path in pages("memory").items():
        _, _, rows = compare.read(path)
        peak = {row[0]: number(row[1]) for row in rows}
        found[each] = {layer: megabytes / peak["GRU"] for layer, megabytes in peak.items()}
    return found


def mnist():
    """`{machine: {network: Training}}`, of five epochs of MNIST."""
    found = {}
    for each, path in pages("mnist").items():
        _, _, rows = compare.read(path)
        seconds = {row[0]: number(row[3]) for row in rows}
        found[each] = {
            row[0]: Training(100 - number(row[2]), number(row[3]) / seconds["GRU(128)"])
            for row in rows
        }
    return found


def shares(path):
    """`{(instruction set, pass): [percent of the ceiling, undisturbed, for each shape]}`."""
    _, _, rows = compare.read(path)
    return {(row[0], row[1]): [number(cell.partition("/")[2]) for cell in row[2:]] for row in rows}


def litert(path):
    """`{(shape, layer): microseconds in float32}` of a page of `benchmarks.litert_latency`."""
    columns, _, rows = compare.read(path)
    return {(row[0], row[1]): number(row[columns.index("float32")]) for row in rows}


def swap():
    """`{task: {"AddGRU": ratio, ...}}`: errors over GRU's, of `benchmarks.swap`."""
    columns, _, rows = compare.read(machine.RESULTS / "swap.md")
    heads = {columns.index(f"{name} / GRU"): name for name in SWAPPED}
    found = {}
    for row in rows:
        if row[1] in ("chosen on", "held out"):
            found[row[0]] = {name: number(row[at]) for at, name in heads.items()}
    return found


SWAPPED = ("LSTM", "AddGRU", "MinAddGRU, two layers")
