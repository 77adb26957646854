"""The processor's seconds of an epoch of MNIST, by rows, for each layer.

One thread, one process, one layer after the other. 10,000 digits, 128 units.

    python -m benchmarks.epoch_times           # tables of what is recorded, of each machine
    python -m benchmarks.epoch_times --run     # first measures this machine: minutes
"""

import functools
import statistics

import keras_addrnn as ka
from benchmarks._harness import machine, markdown
from benchmarks._harness.experiment import Experiment
from benchmarks._tasks import digits

LAYERS = digits.LAYERS | {
    "MinAddGRU": ka.MinAddGRU,
    "MinAddGRU, kernel_size 1": functools.partial(ka.MinAddGRU, kernel_size=1),
}


def plan():
    sizes = {"order": "rows", "digits": 10_000, "units": 128, "seed": 0, "epochs": 6}
    yield {"layers": list(LAYERS), **sizes}


def run(settings, options, keep):
    machine.use_threads(1)
    same = {name: settings[name] for name in ("order", "units", "epochs", "seed")}
    result = {}
    for layer in settings["layers"]:
        _, history = digits.train(LAYERS[layer], digits.load(), **same)
        result[layer] = history["processor_seconds"]
    keep(settings, result)


def tables(known):
    """The median of the epochs; the first traces and compiles. Of the run recorded last."""
    *_, line = known.values()
    seconds = {layer: statistics.median(each[1:]) for layer, each in line["result"].items()}
    rows = [
        (layer, f"{each:.2f}", f"{each / seconds['AddGRU']:.1f}") for layer, each in seconds.items()
    ]
    text = markdown.table(("layer", "processor s / epoch", "AddGRU = 1"), rows)
    return {"epoch_times": f"{line['machine']}. {line['settings']['digits']:,} digits.\n\n{text}"}


EXPERIMENT = Experiment(__doc__, "epoch_times", plan, run, tables, timed=True)

if __name__ == "__main__":
    EXPERIMENT.main()
