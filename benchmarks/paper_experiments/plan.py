"""What docs/results wants to know: every run by its settings, in order of what it tells.

`task` says which function of runs.py runs it. The names in the settings are those of the records.
"""

from itertools import product

from benchmarks._tasks import adding as adding_task
from benchmarks._tasks import digits
from benchmarks.paper_experiments.runs import AVERAGING_LAYERS, UNTRAINED_LAYERS
from benchmarks.paper_experiments.variants import VARIANTS

SEEDS = (0, 1, 2)

EXACT_LENGTHS = (100, 1000, 10_000)
ADDING_LENGTHS = (50, 100, 200, 400)
ADDING_BATCHES = 2000  # when a layer that has not solved the problem gives up

# Accuracy after each of the paper's 50 epochs; one line of the records for each.
MNIST_EPOCHS = 50

VARIANT_TASKS = {"mnist": {"digits": 10_000, "epochs": 3}, "adding": {"T": 100, "batches": 600}}

AVERAGING_WEIGHTS = ("fixed", "given")


def exact():
    for problem, timesteps in product(adding_task.BY_HAND, EXACT_LENGTHS):
        yield {"task": "exact", "problem": problem, "T": timesteps, "seed": SEEDS[0]}


def adding():
    for seed, timesteps, layer in product(SEEDS, ADDING_LENGTHS, adding_task.LAYERS):
        run = {"task": "adding", "T": timesteps, "layer": layer, "units": 64}
        yield {**run, "batches": ADDING_BATCHES, "seed": seed}


def mnist():
    """As in the paper, and with a learning rate that falls to 0 along a cosine."""

    def runs(order, layers, count=digits.ALL, epochs=MNIST_EPOCHS, **more):
        for seed, layer in product(SEEDS, layers):
            run = {"task": "mnist", "order": order, "digits": count, "layer": layer}
            yield {**run, "units": 128, "seed": seed, "epochs": epochs, **more}

    layers = [layer for layer in digits.LAYERS if layer != "AddGRU, hard_tanh"]
    yield from runs("rows", digits.LAYERS)
    yield from runs("rows", ("AddGRU", "GRU"), rate="falling")
    yield from runs("pixels", layers, 10_000, 10)
    yield from runs("columns", layers)


def mnist_name(settings):
    """What a run on MNIST is called in a table or a plot."""
    return settings["layer"] + (", falling rate" if "rate" in settings else "")


def untrained():
    for layer, normalised, seed in product(UNTRAINED_LAYERS, (False, True), SEEDS):
        yield {"task": "untrained", "layer": layer, "normalised": normalised, "seed": seed}


def ablation():
    for seed, (task, size), variant in product(SEEDS, VARIANT_TASKS.items(), VARIANTS):
        run = {"task": "ablation", "on": task, **size, "units": 64}
        yield {**run, "variant": variant, "seed": seed}


def averaging():
    for seed, weight, layer in product(SEEDS, AVERAGING_WEIGHTS, AVERAGING_LAYERS):
        run = {"task": "averaging", "weight": weight, "T": 50, "layer": layer, "units": 64}
        yield {**run, "batches": 600, "seed": seed}


TASKS = {each.__name__: each for each in (exact, adding, mnist, untrained, ablation, averaging)}


def everything():
    for planned in TASKS.values():
        yield from planned()


def lines(settings):
    """The settings of all lines of a run: on MNIST there is one for each epoch."""
    if settings["task"] != "mnist":
        return [settings]
    return [{**settings, "epoch": 1 + epoch} for epoch in range(settings["epochs"])]
