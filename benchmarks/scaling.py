"""How the time of a forward pass grows with batch, steps and units: no cliffs.

One thread, the core alone. Around edges of tiles (2 and 3 rows, 6 and 7, 127 to 129 units) every
size is measured. The plot shows the time divided by what it should grow with.

    python -m benchmarks.scaling                 # draws what is recorded, of each machine
    python -m benchmarks.scaling --run           # first measures what is missing of this one
"""

import statistics

from benchmarks import _core_calls as core_calls
from benchmarks._harness.experiment import Experiment

BASE = {"batch": 32, "steps": 50, "features": 64, "units": 128}
AXES = {
    "batch": [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 16, 24, 31, 32, 33, 48, 64, 96, 97, 128, 256],
    "steps": [1, 2, 5, 10, 20, 47, 48, 49, 100, 200, 500, 1000, 2000, 5000, 10000],
    "units": [1, 8, 16, 17, 31, 32, 33, 64, 96, 127, 128, 129, 192, 256, 257, 384, 512, 768, 1024],
}
# A single sequence is another code path, and all of it for some steps is a tenth of a second.
SINGLE = {**BASE, "batch": 1}
CURVES = [
    ("AddGRU", BASE, "o-"),
    ("AddGRU", SINGLE, "s--"),
    ("MinAddGRU", BASE, "^-"),
    ("MinAddGRU", SINGLE, "v--"),
]
WINDOW = 3  # how many inputs MinAddGRU's gates read


def plan():
    for layer, base, _ in CURVES:
        named = {} if layer == "AddGRU" else {"layer": layer}
        for axis, sizes in AXES.items():
            if (axis, base) != ("batch", SINGLE):
                for size in sizes:
                    yield {**named, "axis": axis, "base": base, **base, axis: size}


def _layer(settings):
    """AddGRU's runs do not name it: they were recorded before there was another."""
    return settings.get("layer", "AddGRU")


def run(settings, options, keep):
    import numpy as np

    from keras_addrnn_cli import bench

    batch, steps, features, units = (settings[name] for name in BASE)
    rng = np.random.default_rng(0)
    arrays = [
        rng.normal(size=(batch, steps, features)),
        0.1 * rng.normal(size=(features, 2 * units)),
        0.2 / units**0.5 * rng.normal(size=(units, 2 * units)),
    ]
    name = "add_gru"
    if _layer(settings) == "MinAddGRU":
        arrays[1:] = [0.1 * rng.normal(size=(WINDOW, features, 2 * units))]
        name = "min_add_gru"
    inputs, *weights = (array.astype("float32") for array in arrays)
    call = core_calls.forward(name, 1, inputs, weights)
    keep(settings, {"ms": statistics.median(bench.burst(call, 0.1))})


def plots(known):
    from benchmarks._harness import plots

    figure, ((*panels,),) = plots.figure(1, 3, (13 / 3, 4), layout="constrained")
    for panel, axis in zip(panels, AXES, strict=True):
        for layer, base, marker in CURVES:
            points = []
            for line in known.values():
                row = line["settings"]
                if (_layer(row), row["axis"], row["base"]) == (layer, axis, base):
                    work = row["batch"] * row["steps"] * 2 * row["units"]
                    if layer == "MinAddGRU":
                        work *= WINDOW * row["features"]
                    else:
                        work *= row["features"] + row["units"]
                    points.append((row[axis], 1e6 * line["result"]["ms"] / work))
            if points:
                label = ", ".join([layer, *(f"{k} {v}" for k, v in base.items() if k != axis)])
                panel.plot(*zip(*points, strict=True), marker, markersize=3, label=label)
        panel.set(xlabel=axis, ylabel="ns for each multiply-add", xscale="log", yscale="log")
        panel.grid(alpha=0.3, which="both")
        panel.legend(fontsize="x-small")
    machines = {line["machine"] for line in known.values()}
    figure.suptitle(f"{'; '.join(sorted(machines))}, one thread, forward", fontsize="small")
    yield "scaling", figure


EXPERIMENT = Experiment(__doc__, "scaling", plan, run, lambda known: {}, plots, timed=True)

if __name__ == "__main__":
    EXPERIMENT.main()
