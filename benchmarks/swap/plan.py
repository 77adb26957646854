"""What is compared: layers, tasks, seeds."""

import functools

import keras

import keras_addrnn as ka
from benchmarks._tasks.two_layers import TwoLayers
from benchmarks.swap.tasks import TASKS

REFERENCE, WINDOWED = "GRU", "MinAddGRU, two layers"
LAYERS = {
    REFERENCE: keras.layers.GRU,
    "LSTM": keras.layers.LSTM,
    "AddGRU": ka.AddGRU,
    WINDOWED: TwoLayers,
    "minGRU, two layers": functools.partial(TwoLayers, kind="minGRU"),
    "QRNN, two layers": functools.partial(TwoLayers, kind="QRNN"),
    "AddGRU, scale_inputs=False": functools.partial(ka.AddGRU, scale_inputs=False),
}
# What the default of `kernel_size` was chosen by, on quick ones of the tasks below.
WINDOWS = {
    f"{WINDOWED}, kernel_size={size}": functools.partial(TwoLayers, kernel_size=size)
    for size in (1, 2, 4)
}
SEEDS = range(3)
# What a default may be chosen on. The other tasks only judge it.
SEARCH = (
    "mnist_rows",
    "adding_100",
    "label_columns",
    "handwriting_fonts",
    "characters",
    "text_classification",
    "japanese_vowels",
)
OF_WINDOWS = ("mnist_rows", "adding_100", "label_columns", "japanese_vowels")
HELD_OUT = tuple(name for name in TASKS if name not in SEARCH)


def plan():
    """One seed of everything comes first."""
    for seed in SEEDS:
        for task in TASKS:
            for layer in LAYERS:
                yield settings(task, layer, seed)
        for task in OF_WINDOWS:
            for layer in WINDOWS:
                yield settings(task, layer, seed)


def settings(task, layer, seed):
    return {"task": task, "layer": layer, "seed": seed}
