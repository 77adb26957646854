"""The runs of plan.py: trains what the settings of one say."""

import math

import keras
import numpy as np

from benchmarks._tasks import adding as adding_task
from benchmarks._tasks import digits
from benchmarks._tasks.learning import learn
from benchmarks.parallel_in_time import plan

EVERY = adding_task.ERROR_EVERY


def run(settings, data_dir):
    """What `learning.learn` gives, and how many `parameters` the model has."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(settings["seed"])
    make = plan.LAYERS[settings["layer"]]
    return TASKS[settings["task"]](make, settings, data_dir)


def adding(make, settings, data_dir):
    """The mean squared error after every 50 batches; it ends where the problem is solved."""
    steps = settings["T"]
    layers = [keras.Input((steps, 2)), make(settings["units"]), keras.layers.Dense(1)]
    x, y = adding_task.problems(np.random.default_rng(10**6), 500, steps)

    def error(model):
        return np.mean((model.predict(x, batch_size=50, verbose=0) - y) ** 2)

    drawn = adding_task.endless(adding_task.problems, settings["seed"], steps)
    return _drawn(layers, "mse", drawn, error, settings["batches"], adding_task.SOLVED)


def parity(make, settings, data_dir):
    """The share of steps whose parity is told wrongly: 0.5 by chance."""
    layers = [
        keras.Input((settings["T"], 1)),
        make(settings["units"], return_sequences=True),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    x, y = parities(np.random.default_rng(10**6), 500, settings["T"])

    def error(model):
        return np.mean((model.predict(x, batch_size=500, verbose=0) > 0.5) != (y > 0.5))

    drawn = adding_task.endless(parities, settings["seed"], settings["T"])
    return _drawn(layers, "binary_crossentropy", drawn, error, settings["batches"])


def parities(rng, count, steps):
    """Bits `float32 [count, steps, 1]`, and whether the number of ones so far is odd, as floats."""
    bits = rng.integers(0, 2, (count, steps, 1))
    return bits.astype("float32"), (bits.cumsum(1) % 2).astype("float32")


def _drawn(layers, loss, drawn, error, batches, solved=None):
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    found = learn(
        model,
        drawn,
        error=lambda: error(model),
        solved=solved,
        epochs=batches // EVERY,
        steps_per_epoch=EVERY,
        shuffle=False,
    )
    return {**found, "parameters": model.count_params()}


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
