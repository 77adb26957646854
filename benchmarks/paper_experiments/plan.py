"""What docs/evidence.md wants to know: every run by its settings, in order of what it tells.

`task` says which function of runs.py runs it. The names in the settings are those of the records.
"""

SEEDS = (0, 1, 2)

EXACT_PROBLEMS = ("sum of multiples of 1/1024", "sum of any numbers", "one number, kept")
EXACT_LENGTHS = (100, 1000, 10_000)
ADDING_LAYERS = ("AddGRU", "GRU", "multiplying", "LSTM", "SimpleRNN")
ADDING_LENGTHS = (50, 100, 200, 400)
ADDING_BATCHES = 2000  # when a layer that has not solved the problem gives up
ADDING_SOLVED = 0.01  # mean squared error
ERROR_EVERY = 50  # batches, of the adding problem and of averaging

# Accuracy after each of the paper's 50 epochs; one line of the records for each.
MNIST_EPOCHS = 50
ALL_DIGITS = 60_000
MNIST_ORDERS = ("rows", "columns", "pixels")
MNIST_LAYERS = ("AddGRU", "GRU", "LSTM", "multiplying", "AddGRU, hard_tanh", "AddGRU, shift 0.5")

# What is changed of AddGRU's defaults, see variants.py.
VARIANTS = (
    *("as it is", *(f"state_max {bound}" for bound in (0.25, 1, 4)), "hard_tanh, shift 0"),
    *(f"{phi}, shift {s}" for phi in ("hard_tanh", "linear", "tanh", "relu") for s in (0.5, 1)),
    *("shift learnt, from 0.5", "shift learnt, from 1", "signed"),
    *(f"gate bias {bias}" for bias in (-1, -0.5, 0.5, 1, 2, "-1..0", "-1..1")),
    "orthogonal",
)
VARIANT_TASKS = ("mnist", "adding")

UNTRAINED_LAYERS = ("AddGRU, gate bias 0", "AddGRU, gate bias -0.5", "GRU", "LSTM")

AVERAGING_LAYERS = ("AddGRU", "AddGRU, shift 1", "AddGRU, signed", "GRU", "multiplying", "LSTM")
AVERAGING_WEIGHTS = ("fixed", "given")


def exact():
    for problem in EXACT_PROBLEMS:
        for timesteps in EXACT_LENGTHS:
            yield {"task": "exact", "problem": problem, "T": timesteps, "seed": SEEDS[0]}


def adding():
    for seed in SEEDS:
        for timesteps in ADDING_LENGTHS:
            for layer in ADDING_LAYERS:
                run = {"task": "adding", "T": timesteps, "layer": layer, "units": 64}
                yield {**run, "batches": ADDING_BATCHES, "seed": seed}


def mnist():
    """As in the paper, and with a learning rate that falls to 0 along a cosine."""

    def runs(order, layers, seeds, digits, epochs, **more):
        for seed in seeds:
            for layer in layers:
                run = {"task": "mnist", "order": order, "digits": digits, "layer": layer}
                yield {**run, "units": 128, "seed": seed, "epochs": epochs, **more}

    layers = [layer for layer in MNIST_LAYERS if layer != "AddGRU, hard_tanh"]
    yield from runs("rows", MNIST_LAYERS, SEEDS, ALL_DIGITS, MNIST_EPOCHS)
    yield from runs("rows", MNIST_LAYERS[:2], SEEDS, ALL_DIGITS, MNIST_EPOCHS, rate="falling")
    yield from runs("pixels", layers, SEEDS, 10_000, 10)
    yield from runs("columns", layers, SEEDS, ALL_DIGITS, MNIST_EPOCHS)


def mnist_name(settings):
    """What a run on MNIST is called in a table or a plot."""
    return settings["layer"] + (", falling rate" if "rate" in settings else "")


def untrained():
    for layer in UNTRAINED_LAYERS:
        for normalised in (False, True):
            for seed in SEEDS:
                yield {"task": "untrained", "layer": layer, "normalised": normalised, "seed": seed}


def ablation():
    for seed in SEEDS:
        for task in VARIANT_TASKS:
            size = (
                {"digits": 10_000, "epochs": 3} if task == "mnist" else {"T": 100, "batches": 600}
            )
            for variant in VARIANTS:
                run = {"task": "ablation", "on": task, **size, "units": 64}
                yield {**run, "variant": variant, "seed": seed}


def averaging():
    for seed in SEEDS:
        for weight in AVERAGING_WEIGHTS:
            for layer in AVERAGING_LAYERS:
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
