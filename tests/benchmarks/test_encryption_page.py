"""docs/results/encryption.md quotes the records."""

import pytest

from benchmarks._harness import machine, records
from benchmarks.encrypted_accuracy import __main__ as benchmark
from tests.test_docs import ROOT

MACHINE = machine.RESULTS / "intel_xeon_avx512"
PAGE = (ROOT / "docs/results/encryption.md").read_text()
POINTS = list(benchmark.points(records.recorded(MACHINE / "encrypted_accuracy.jsonl")))
STREAMS = records.recorded(MACHINE / "encrypted_stream.jsonl").values()


def point(**settings):
    (found,) = [each for each in POINTS if settings.items() <= each.items()]
    return found


def rounded(number, digits):
    return "NOT RUN" if number is None else f"{number:.{digits}f}"


@pytest.mark.parametrize("row", [each for each in POINTS if each["task"] == "MNIST"])
def test_rows_of_mnist(row):
    right = f"{100 * row['mean']:.1f} ± {100 * row['error']:.1f} %"
    seconds = (rounded(row[name], 1) for name in ("seconds", "processor_seconds"))
    estimate = rounded(row["complexity"] / 1e9, 0)
    cells = row["gate"], str(row["units"]), right, *seconds, estimate
    assert f"| {' | '.join(cells)} |" in PAGE


def test_shares():
    adding = point(task="MNIST", gate="MinAddGRU", units=64)
    multiplying = point(task="MNIST", gate="minGRU", units=96)
    assert f"takes {adding['seconds'] / multiplying['seconds']:.0%}" in PAGE.replace(" %", "%")
    for gate, words in (("minGRU", "of minGRU's"), ("minGRU, coarse", "of the coarse one's")):
        peer = point(task="MNIST", gate=gate, units=64)
        share = adding["complexity"] / peer["complexity"]
        assert f"{share:.0%} {words}" in PAGE.replace(" %", "%")


@pytest.mark.parametrize(
    "gate, words", [("MinAddGRU", "reads 97.1 ± 1.0 % in 2.3"), ("AddGRU", "reads 95.8 % in 2.8")]
)
def test_sixteen_units(gate, words):
    found = point(task="digits", gate=gate, units=16, steps=2, bits=6)
    _, right, *_, seconds = words.split()
    assert words in PAGE
    assert (right, seconds) == (rounded(100 * found["mean"], 1), rounded(found["seconds"], 1))


def test_all_that_was_encrypted_was_exact():
    assert f"All {sum(each['exact'] for each in POINTS)} digits" in PAGE


@pytest.mark.parametrize("line", STREAMS, ids=lambda line: line["settings"]["bits"])
def test_rows_of_streams(line):
    result = line["result"]
    shares = [f"{100 * right / result['sequences']:.1f}" for right in result["right"]]
    medians = [
        rounded(benchmark.median(result[name]), 1) for name in ("seconds", "processor_seconds")
    ]
    cells = str(line["settings"]["bits"]), f"{', '.join(shares)} %", *medians
    assert f"| {' | '.join(cells)} | {result['complexity'] / 1e9:.1f} |" in PAGE
