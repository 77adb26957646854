"""The core's tables of docs/performance.md, from what `make bench-core` printed.

python benchmarks/core_tables.py benchmarks/results/core_*.txt
"""

import argparse
import collections
import pathlib
import re
import statistics

import machine

SHAPES = ["64x28x28x128", "64x32x64x128", "32x200x256x512"]
PASSES = {"Forward": "forward", "ForwardBackward": "forward + backward"}
STREAMS = ["1x100x40x128", "1x100x256x512"]
DENSITIES = ["1.00", "0.50", "0.27", "0.10"]
TYPES = ["float32", "int32", "int16", "int8"]
GATES = ["addition", "hard_sigmoid", "sigmoid"]
LINE = re.compile(r"(?P<name>\w+/\S+) +(?P<time>[\d.]+) (?:ns|us|ms) +[\d.]+ \w+ +\d+(?P<rest>.*)")


class Run:
    """What one file says: the instruction set, and of each benchmark its numbers."""

    def __init__(self, text):
        self.instruction_set = re.search(r"^instruction_set: (\S+)", text, re.M)[1]
        found = collections.defaultdict(lambda: collections.defaultdict(list))
        for line in LINE.finditer(text):
            numbers = found[line["name"].removesuffix("/real_time")]
            numbers["time"].append(float(line["time"]))
            for counter, value in re.findall(r"(\w+)=([\d.]+)", line["rest"]):
                numbers[counter].append(float(value))
        self._numbers = {
            name: {key: statistics.median(values) for key, values in numbers.items()}
            for name, numbers in found.items()
        }

    def of(self, name, counter="time"):
        return self._numbers[name][counter]

    def has(self, name):
        return name in self._numbers


def shape(text):
    return "(" + text.replace("x", ", ") + ")"


def header(*columns, text_columns=1):
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * text_columns + "---:|" * (len(columns) - text_columns)


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def by_pass(runs, cell):
    """`cell(run, name)` for each pass and shape; the number of threads is to follow the name."""
    yield from header("instruction set", "pass", *map(shape, SHAPES), text_columns=2)
    for run in runs:
        for kind, title in PASSES.items():
            cells = (cell(run, f"{kind}/{each}/threads:") for each in SHAPES)
            yield row(run.instruction_set, title, *cells)


def share(run, name):
    """Median share of the ceiling, that undisturbed, and the time; of one thread."""
    name += "1"
    median, undisturbed = run.of(name, "ceiling_share"), run.of(name, "undisturbed_share")
    return f"{median:.0%} / {undisturbed:.0%} ({run.of(name):.3g} ms)"


def speedup(run, name):
    """From one thread to two: of the medians, and of what either reaches undisturbed."""
    one, two = name + "1", name + "2"
    medians = run.of(one) / run.of(two)
    undisturbed = 2 * run.of(two, "undisturbed_share") / run.of(one, "undisturbed_share")
    return f"{medians:.2f} / {undisturbed:.2f}"


def streams(runs):
    densities = ["all", *(f"{float(density):.0%}" for density in DENSITIES[1:])]
    yield from header("instruction set", "(B, T, D, H)", *densities, text_columns=2)
    for run in runs:
        for each in STREAMS:
            names = [f"Stream/{each}/density:{density}/threads:1" for density in DENSITIES]
            yield row(run.instruction_set, shape(each), *(f"{run.of(name):.3g}" for name in names))


def small_batches(runs):
    batches = range(1, 7)
    titles = [f"B = {batch}" for batch in batches]
    yield from header("instruction set", "states not zero", *titles, text_columns=2)
    for run in runs:
        for density, title in (("1.00", "all"), ("0.27", "27 %")):
            names = [f"Stream/{b}x100x40x128/density:{density}/threads:1" for b in batches]
            yield row(run.instruction_set, title, *(f"{run.of(name):.3f}" for name in names))


def gates(runs):
    titles = ["additions", "products, hard sigmoid", "products, sigmoid (integers: table of 256)"]
    yield from header("instruction set", "type", *titles, text_columns=2)
    for run in runs:
        for kind in TYPES:
            times = [run.of(f"{kind}/{gate}", "ns_per_unit") for gate in GATES]
            rest = (f"{time:.3f} ({time / times[0]:.1f})" for time in times[1:])
            yield row(run.instruction_set, kind, f"{times[0]:.3f}", *rest)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--write", metavar="DIR", type=pathlib.Path, help="also a file of each")
    options = parser.parse_args()
    runs = [Run(path.read_text()) for path in options.files]
    runs.sort(key=lambda run: -run.of(f"Forward/{SHAPES[0]}/threads:1", "flops"))
    # Only a machine of several processors has measured more than one thread.
    several = [run for run in runs if run.has(f"Forward/{SHAPES[0]}/threads:2")]
    tables = {
        "core_shares.md": by_pass(runs, share),
        "core_threads.md": by_pass(several, speedup),
        "core_streams.md": streams(runs),
        "core_batches.md": small_batches(runs),
        "core_gates.md": gates(runs),
    }
    for name, lines in tables.items():
        text = "\n".join(lines) + "\n"
        print(f"{name}:\n\n{text}")
        if options.write:
            machine.write(options.write / name, text)


if __name__ == "__main__":
    main()
