"""Every run by its settings. `task` says which function of tasks.py runs it."""

import functools
import itertools

import keras

import keras_addrnn as ka
from benchmarks._tasks import digits
from benchmarks._tasks.two_layers import TwoLayers

TWO = tuple(f"{kind}, two layers" for kind in ("MinAddGRU", "minGRU", "QRNN"))
LAYERS = {
    **{name: functools.partial(TwoLayers, kind=name.split(",")[0]) for name in TWO},
    "MinAddGRU": ka.MinAddGRU,
    "AddGRU": ka.AddGRU,
    "GRU": keras.layers.GRU,
    "LSTM": keras.layers.LSTM,
}
STEP_BY_STEP = ("AddGRU", "GRU", "LSTM")
ALIKE = dict(zip((*TWO, *STEP_BY_STEP), (64, 64, 52, 111, 90, 78), strict=True))  # 25,000 weights
SEEDS = range(3)
ADDING_BATCHES = 500
PARITY_STEPS, PARITY_BATCHES = 32, 2000


def plan():
    """One seed of everything comes first."""
    planned = itertools.chain(adding(), pixels(), rows(), parity())
    return sorted(planned, key=lambda settings: settings["seed"])


def _each(run, seeds=SEEDS):
    return [{**run, "seed": seed} for seed in seeds]


def adding():
    layers = {200: (*TWO, *STEP_BY_STEP), 1000: (*TWO, *STEP_BY_STEP), 10_000: (TWO[0], "AddGRU")}
    for steps, names in layers.items():
        for layer in names:
            run = {"task": "adding", "T": steps, "layer": layer, "units": 64}
            run["batches"] = ADDING_BATCHES
            yield from _each(run, SEEDS if steps <= 1000 else SEEDS[:1])


def pixels():
    for layer, units in ALIKE.items():
        run = {"task": "pixels", "digits": 10_000, "layer": layer, "units": units}
        yield from _each({**run, "epochs": 10})


def rows():
    """As long as in the paper, with a rate that falls; GRU is in `benchmarks.paper_experiments`.

    With 80 units there are no more weights than in GRU(128).
    """
    for units in (128, 80):
        run = {"task": "rows", "digits": digits.ALL, "layer": TWO[0], "units": units}
        yield from _each({**run, "epochs": 50})


def parity():
    for layer in LAYERS:
        run = {"task": "parity", "T": PARITY_STEPS, "layer": layer, "units": 64}
        yield from _each({**run, "batches": PARITY_BATCHES})
