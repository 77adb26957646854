"""What is compared: layers, tasks, seeds."""

import functools

import keras

import keras_addrnn as ka
from benchmarks._tasks.min_stack import MinStack
from benchmarks.swap.tasks import TASKS

REFERENCE = "GRU"
LAYERS = {
    REFERENCE: keras.layers.GRU,
    "LSTM": keras.layers.LSTM,
    "AddGRU": ka.AddGRU,
    "MinAddGRU, two layers": MinStack,
    "AddGRU, scale_inputs=False": functools.partial(ka.AddGRU, scale_inputs=False),
}
SEEDS = range(3)
# What a default may be chosen on. The other tasks only judge it.
SEARCH = (
    "mnist_rows",
    "adding_100",
    "label_columns",
    "handwriting_fonts",
    "characters",
    "japanese_vowels",
)
HELD_OUT = tuple(name for name in TASKS if name not in SEARCH)


def plan():
    """One seed of everything comes first."""
    for seed in SEEDS:
        for task in TASKS:
            for layer in LAYERS:
                yield settings(task, layer, seed)


def settings(task, layer, seed):
    return {"task": task, "layer": layer, "seed": seed}
