"""The runs of plan.py: trains what the settings of one say.

Each function takes the settings, the command's options, and `keep`, which it calls with the
settings and the result of each line to record, as soon as there is one.
"""

import functools
import json
import math
import pathlib
import shutil

import h5py
import keras
import numpy as np

import keras_addrnn as ka
from benchmarks._tasks import adding as adding_task
from benchmarks._tasks import digits, recurrent_stack, state_statistics
from benchmarks._tasks.multiplying import MultiplyingGRUCell
from benchmarks.paper_experiments.variants import VARIANTS

LATER = 8  # steps
UNFINISHED = pathlib.Path(__file__).parents[2] / "build" / "paper_experiments"  # interrupted runs
UNTRAINED_LAYERS = {
    "AddGRU, gate bias 0": ka.AddGRU,
    "AddGRU, gate bias -0.5": functools.partial(
        ka.AddGRU, bias_initializer=ka.layers.GateBias(-0.5)
    ),
    "GRU": keras.layers.GRU,
    "LSTM": keras.layers.LSTM,
}
AVERAGING_LAYERS = {
    "AddGRU": VARIANTS["as it is"],
    "AddGRU, shift 1": VARIANTS["hard_tanh, shift 1"],
    "AddGRU, signed": VARIANTS["signed"],
    "GRU": keras.layers.GRU,
    "multiplying": lambda units, **more: keras.layers.RNN(MultiplyingGRUCell(units), **more),
    "LSTM": keras.layers.LSTM,
}


def exact(settings, options, keep):
    """How far the adders set by hand are from the true sum."""
    x, expected = adding_task.sequence(settings["problem"], settings["T"])
    adders = adding_task.adders(settings["T"])
    keep(settings, {name: abs(adder(x) - expected) for name, adder in adders.items()})


def adding(settings, options, keep):
    keras.utils.set_random_seed(settings["seed"])
    layer = adding_task.LAYERS[settings["layer"]](settings["units"])
    errors, seconds = adding_task.learn(
        layer, settings["T"], batches=settings["batches"], seed=settings["seed"]
    )
    result = {"solved_after": adding_task.solved_after(errors), "errors": errors}
    keep(settings, {**result, "seconds_per_batch": seconds})


def mnist(settings, options, keep):
    """A line for each epoch.

    An interrupted run goes on where it was, with the digits in the order of a first epoch again.
    """
    backup = UNFINISHED / "_".join(map(str, settings.values())).replace(", ", "_")
    try:
        h5py.File(backup / "latest.weights.h5").close()
        json.loads((backup / "training_metadata.json").read_text())
    except (OSError, ValueError):  # not there, or a killed process left it unfinished
        shutil.rmtree(backup, ignore_errors=True)
    rate = digits.LEARNING_RATE
    if settings.get("rate") == "falling":
        batches = math.ceil(settings["digits"] / digits.BATCH_SIZE)
        rate = keras.optimizers.schedules.CosineDecay(rate, batches * settings["epochs"])

    def keep_epoch(epoch, logs):
        result = {name: float(value) for name, value in logs.items()}
        keep({**settings, "epoch": epoch + 1}, result)

    digits.train(
        digits.LAYERS[settings["layer"]],
        digits.load(options.data_dir if settings["digits"] == digits.ALL else None),
        rate=rate,
        **{name: settings[name] for name in ("order", "units", "epochs", "seed")},
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_end=keep_epoch),
            keras.callbacks.BackupAndRestore(backup),
        ],
    )


def untrained(settings, options, keep):
    """What a stack of recurrent layers puts out before it has learned anything."""
    keras.utils.set_random_seed(settings["seed"])
    layer = UNTRAINED_LAYERS[settings["layer"]]
    stack = recurrent_stack.build(layer, normalized=settings["normalised"])
    shape = 64, recurrent_stack.STEPS, recurrent_stack.FEATURES
    x = np.random.default_rng(settings["seed"]).normal(size=shape)
    outputs = keras.ops.convert_to_numpy(stack(np.maximum(x, 0)))
    correlation, common = state_statistics.statistics(outputs, LATER)
    keep(settings, {"correlation": correlation, "common": common})


def ablation(settings, options, keep):
    units, seed = settings["units"], settings["seed"]
    make = VARIANTS[settings["variant"]]
    if settings["on"] == "mnist":
        epochs = settings["epochs"]
        _, history = digits.train(make, digits.load(), units=units, epochs=epochs, seed=seed)
        keep(settings, history)
        return
    keras.utils.set_random_seed(seed)
    layer = make(units)
    errors, _ = adding_task.learn(
        layer, settings["T"], batches=settings["batches"], seed=seed, until_solved=False
    )
    keep(settings, {"errors": errors})


def averages(rng, count, timesteps, weight):
    """Sequences and their moving averages `y_t = a_t y_{t-1} + (1 - a_t) x_t`, from `y_0 = 0`.

    Args:
        weight: `"given"`: `a_t` is drawn from 0 to 1 at each step, and an input like `x_t`;
            `"fixed"`: it is 0.9 always.

    Returns:
        `float32 [count, timesteps, 2]` of `x` and `a`, and `float32 [count, timesteps, 1]`.
    """
    x = rng.random((count, timesteps))
    a = rng.random((count, timesteps)) if weight == "given" else np.full((count, timesteps), 0.9)
    y, targets = np.zeros(count), []
    for step in range(timesteps):
        y = a[:, step] * y + (1 - a[:, step]) * x[:, step]
        targets.append(y)
    return np.stack([x, a], -1).astype("float32"), np.stack(targets, 1)[..., None].astype("float32")


def averaging(settings, options, keep):
    timesteps, weight = settings["T"], settings["weight"]
    keras.utils.set_random_seed(settings["seed"])
    layer = AVERAGING_LAYERS[settings["layer"]](settings["units"], return_sequences=True)
    model = keras.Sequential([keras.Input((timesteps, 2)), layer, keras.layers.Dense(1)])
    batches = adding_task.endless(averages, settings["seed"], timesteps, weight)
    test = averages(np.random.default_rng(10**6), 500, timesteps, weight)
    errors = adding_task.errors(model, batches, test, settings["batches"])
    # Of answering the mean of each step, whatever the input.
    variance = float(np.mean(np.var(test[1], axis=0)))
    keep(settings, {"errors": errors, "variance": variance})


TASKS = {each.__name__: each for each in (exact, adding, mnist, untrained, ablation, averaging)}
