"""The runs of plan.py: trains what the settings of one say."""

import math

import keras
import numpy as np

from benchmarks._tasks import adding as adding_task
from benchmarks._tasks import digits
from benchmarks._tasks.learning import learn_drawn
from benchmarks.parallel_in_time import plan


def run(settings, data_dir):
    """What `learning.learn` gives, and how many `parameters` the model has."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(settings["seed"])
    make = plan.LAYERS[settings["layer"]]
    return TASKS[settings["task"]](make, settings, data_dir)


def adding(make, settings, data_dir):
    """The mean squared error after every 50 batches; it ends where the problem is solved."""
    model, found = adding_task.learn_sums(
        make(settings["units"]),
        settings["T"],
        batches=settings["batches"],
        seed=settings["seed"],
        predicted=50,  # of the longest sequences 500 would take gigabytes
        solved=adding_task.SOLVED,
    )
    return {**found, "parameters": model.count_params()}


def parity(make, settings, data_dir):
    """The share of steps whose parity is told wrongly: 0.5 by chance."""
    layers = [
        keras.Input((settings["T"], 1)),
        make(settings["units"], return_sequences=True),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    x, y = parities(np.random.default_rng(10**6), 500, settings["T"])

    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")

    def error():
        return np.mean((model.predict(x, batch_size=500, verbose=0) > 0.5) != (y > 0.5))

    drawn = adding_task.endless(parities, settings["seed"], settings["T"])
    found = learn_drawn(
        model, drawn, batches=settings["batches"], every=adding_task.ERROR_EVERY, error=error
    )
    return {**found, "parameters": model.count_params()}


def parities(rng, count, steps):
    """Bits `float32 [count, steps, 1]`, and whether the number of ones so far is odd, as floats."""
    bits = rng.integers(0, 2, (count, steps, 1))
    return bits.astype("float32"), (bits.cumsum(1) % 2).astype("float32")


def pixels(make, settings, data_dir):
    return _digits(make, settings, digits.load(), "pixels", digits.LEARNING_RATE)


def rows(make, settings, data_dir):
    batches = math.ceil(settings["digits"] / digits.BATCH_SIZE)
    rate = keras.optimizers.schedules.CosineDecay(
        digits.LEARNING_RATE, batches * settings["epochs"]
    )
    return _digits(make, settings, digits.load(data_dir), "rows", rate)


def _digits(make, settings, data, order, rate):
    sizes = {name: settings[name] for name in ("units", "epochs", "seed")}
    model, history = digits.train(make, data, order=order, rate=rate, **sizes)
    errors = [1 - accuracy for accuracy in history["val_accuracy"]]
    seconds = round(sum(history["processor_seconds"]), 2)
    kept = {"error": errors[-1], "history": errors, "seconds": seconds}
    return {**kept, "parameters": model.count_params()}


TASKS = {each.__name__: each for each in (adding, pixels, rows, parity)}
