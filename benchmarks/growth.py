"""How the time of a forward pass grows with batch, steps and units: no cliffs.

One thread, the core alone. Around edges of tiles (2 and 3 rows, 6 and 7, 127 to 129 units) every
size is measured. The plot shows the time divided by what it should grow with.

    python benchmarks/growth.py --output benchmarks/results/growth
"""

import argparse
import json
import statistics

import matplotlib

matplotlib.use("Agg")  # no display needed

import matplotlib.pyplot as plt
import numpy as np
from machine import description, write

from addrnn import _core
from addrnn._atomic_file import replacing
from keras_addrnn_cli import bench

BASE = {"batch": 32, "steps": 50, "features": 64, "units": 128}
AXES = {
    "batch": [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 16, 24, 31, 32, 33, 48, 64, 96, 97, 128, 256],
    "steps": [1, 2, 5, 10, 20, 47, 48, 49, 100, 200, 500, 1000, 2000, 5000, 10000],
    "units": [1, 8, 16, 17, 31, 32, 33, 64, 96, 127, 128, 129, 192, 256, 257, 384, 512, 768, 1024],
}
# A single sequence is another code path, and all of it for some steps is a tenth of a second.
STREAM = {**BASE, "batch": 1}


def call(batch, steps, features, units):
    rng = np.random.default_rng(0)
    arrays = [
        rng.normal(size=(batch, steps, features)),
        0.1 * rng.normal(size=(features, 2 * units)),
        0.2 / units**0.5 * rng.normal(size=(units, 2 * units)),
    ]
    arrays = [array.astype("float32") for array in arrays]
    return lambda: _core.add_gru(*arrays)


def milliseconds(shape):
    return statistics.median(bench.burst(call(**shape), 0.1))


def measure(base):
    for axis, sizes in AXES.items():
        if axis == "batch" and base["batch"] == 1:
            continue
        for size in sizes:
            shape = {**base, axis: size}
            yield {"axis": axis, "base": base, **shape, "ms": milliseconds(shape)}


def plot(rows, path, title):
    figure, panels = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for panel, axis in zip(panels, AXES, strict=True):
        for base, marker in ((BASE, "o-"), (STREAM, "s--")):
            found = [row for row in rows if row["axis"] == axis and row["base"] == base]
            if not found:
                continue
            work = [
                row["batch"] * row["steps"] * 2 * row["units"] * (row["features"] + row["units"])
                for row in found
            ]
            panel.plot(
                [row[axis] for row in found],
                [1e6 * row["ms"] / w for row, w in zip(found, work, strict=True)],
                marker,
                markersize=3,
                label=", ".join(f"{k} {v}" for k, v in base.items() if k != axis),
            )
        panel.set(xlabel=axis, ylabel="ns for each multiply-add", xscale="log", yscale="log")
        panel.grid(alpha=0.3, which="both")
        panel.legend(fontsize="x-small")
    figure.suptitle(title, fontsize="small")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default="growth", help="for .jsonl and .png")
    options = parser.parse_args()
    _core.set_num_threads(1)
    rows = []
    for base in (BASE, STREAM):
        for row in measure(base):
            rows.append(row)
            print(json.dumps(row), flush=True)
    write(f"{options.output}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    plot(rows, f"{options.output}.png", f"{description()}, one thread, forward")


if __name__ == "__main__":
    main()
