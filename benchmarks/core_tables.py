"""The core's tables, from what `make bench-core` printed for each instruction set.

Reads `results/PROCESSOR/core_*.txt` of every machine and writes the tables beside them.

    KERAS_ADDRNN_ISA=avx2 make bench-core > benchmarks/results/PROCESSOR/core_avx2.txt
    python -m benchmarks.core_tables
"""

import collections
import re
import statistics

from benchmarks._harness import machine, markdown, page

SHAPES = ["64x28x28x128", "64x32x64x128", "32x200x256x512"]
PASSES = {"Forward": "forward", "ForwardBackward": "forward + backward"}
SINGLE = ["1x100x40x128", "1x100x256x512"]
DENSITIES = {"1.00": "all", "0.50": "50%", "0.27": "27%", "0.10": "10%"}
LONG = "1x4096x40x128"
WINDOWS = {"": "AddGRU"} | {f"/window:{w}": f"MinAddGRU, window of {w}" for w in (1, 3)}
TYPES = ["float32", "int32", "int16", "int8"]
GATES = {
    "addition": "additions",
    "hard_sigmoid": "products, hard sigmoid",
    "sigmoid": "products, sigmoid (integers: table of 256)",
}
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

    def single(self, shape, density):
        """The time of a small batch, in which so many states are not zero."""
        # The C++ benchmark of small batches has had two names.
        names = [f"{kind}/{shape}/density:{density}/threads:1" for kind in ("SmallBatch", "Stream")]
        return self.of(next(name for name in names if self.has(name)))


def shape(text):
    return "(" + text.replace("x", ", ") + ")"


def table(runs, label, titles, columns, cells):
    """A row for each run and each of the dict `titles`: what `cells(run, key)` gives."""
    rows = [
        [run.instruction_set, title, *cells(run, key)]
        for run in runs
        for key, title in titles.items()
    ]
    return markdown.table(("instruction set", label, *columns), rows, text=2)


def by_pass(runs, cell):
    """`cell(run, name)` for each pass and shape; the number of threads is to follow the name."""

    def cells(run, kind):
        return [cell(run, f"{kind}/{each}/threads:") for each in SHAPES]

    return table(runs, "pass", PASSES, map(shape, SHAPES), cells)


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


def sequences(runs):
    def cells(run, each):
        return [f"{run.single(each, density):.3g}" for density in DENSITIES]

    titles = {each: shape(each) for each in SINGLE}
    return table(runs, "(B, T, D, H)", titles, DENSITIES.values(), cells)


def small_batches(runs):
    batches = {f"{batch}x100x40x128": f"B = {batch}" for batch in range(1, 7)}

    def cells(run, density):
        return [f"{run.single(each, density):.3f}" for each in batches]

    titles = {"1.00": "all", "0.27": "27 %"}
    return table(runs, "states not zero", titles, batches.values(), cells)


def windows(runs):
    """MinAddGRU beside AddGRU: time and share of the ceiling, of one thread.

    Of a single sequence AddGRU has a forward pass only, in which no state is zero.
    """

    def cell(run, kind, window, each):
        name = f"{'Min' if window else ''}{kind}/{each}{window}/threads:1"
        if run.has(name):
            return f"{run.of(name):.3g} ms ({run.of(name, 'ceiling_share'):.0%})"
        if kind == "Forward" and each in SINGLE:
            return f"{run.single(each, '1.00'):.3g} ms"
        return ""

    shapes = [*SHAPES, *SINGLE, LONG]
    titles = {
        (kind, window): f"{passes}: {layer}"
        for kind, passes in PASSES.items()
        for window, layer in WINDOWS.items()
    }
    return table(
        runs,
        "pass, layer",
        titles,
        map(shape, shapes),
        lambda run, key: [cell(run, *key, each) for each in shapes],
    )


def gates(runs):
    def cells(run, kind):
        first, *rest = (run.of(f"{kind}/{gate}", "ns_per_unit") for gate in GATES)
        return [f"{first:.3f}", *(f"{time:.3f} ({time / first:.1f})" for time in rest)]

    return table(runs, "type", dict(zip(TYPES, TYPES, strict=True)), GATES.values(), cells)


def tables(runs):
    runs.sort(key=lambda run: -run.of(f"Forward/{SHAPES[0]}/threads:1", "flops"))
    # Only a machine of several processors has measured more than one thread.
    several = [run for run in runs if run.has(f"Forward/{SHAPES[0]}/threads:2")]
    found = {
        "core_shares.md": by_pass(runs, share),
        "core_threads.md": by_pass(several, speedup),
        "core_sequences.md": sequences(runs),
        "core_small_batches.md": small_batches(runs),
        "core_gates.md": gates(runs),
    }
    # What was recorded before there was MinAddGRU has no times of it.
    measured = [run for run in runs if run.has(f"MinForward/{SHAPES[0]}/window:1/threads:1")]
    return found | ({"core_windows.md": windows(measured)} if measured else {})


def main(arguments=None):
    page.documented(__doc__).parse_args(arguments)
    for folder in sorted({path.parent for path in machine.RESULTS.glob("*/core_*.txt")}):
        runs = [Run(path.read_text()) for path in sorted(folder.glob("core_*.txt"))]
        for name, text in tables(runs).items():
            page.write(folder / name, text)
            print(f"{folder.name}, {name}:\n\n{text}")


if __name__ == "__main__":
    main()
