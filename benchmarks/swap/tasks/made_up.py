"""Sequences drawn anew for each batch: the adding problem, and copying what matters."""

import keras
import numpy as np

from benchmarks._tasks import adding
from benchmarks._tasks.learning import classify

UNITS = 64
TOKENS, KINDS, LENGTH = 8, 8, 64  # to copy; of these there are so many; among so many
NOISE, ASK = 0, KINDS + 1


def adding_100(make, seed):
    return _adding(make, seed, timesteps=100, batches=400)


def adding_400(make, seed):
    return _adding(make, seed, timesteps=400, batches=300)


def _adding(make, seed, *, timesteps, batches):
    """The mean squared error, and when it was first below `adding.SOLVED`."""
    settings = {"batches": batches, "seed": seed, "predicted": 500}
    _, found = adding.learn_sums(make(UNITS), timesteps, **settings)
    errors = [np.inf if error is None else error for error in found["history"]]
    return {**found, "solved_at": adding.solved_after(errors)}


def selective_copying(make, seed):
    """Tokens among noise, to be told in order at the end (arXiv 2312.00752, section 4.1.1)."""
    layers = [
        keras.Input((LENGTH + TOKENS,), dtype="int32"),
        keras.layers.Embedding(KINDS + 2, 32),
        make(UNITS, return_sequences=True),
        keras.layers.Cropping1D((LENGTH, 0)),
        keras.layers.Dense(KINDS, activation="softmax"),
    ]
    drawn, test = adding.endless(copies, seed), copies(np.random.default_rng(10**6), 500)
    steps = {"epochs": 15, "steps_per_epoch": 100, "shuffle": False}
    return classify(keras.Sequential(layers), (drawn,), test, **steps)


def copies(rng, count):
    """`int32 [count, 72]`, tokens at random places and then the question; `int32 [count, 8]`.

    The inputs' tokens are 1 to 8, the answers 0 to 7.
    """
    x = np.full((count, LENGTH + TOKENS), NOISE, "int32")
    answers = rng.integers(0, KINDS, (count, TOKENS)).astype("int32")
    places = np.sort(rng.random((count, LENGTH)).argsort(1)[:, :TOKENS], axis=1)
    np.put_along_axis(x, places, answers + 1, axis=1)
    x[:, LENGTH:] = ASK
    return x, answers
