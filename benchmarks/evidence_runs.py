"""The runs of evidence_plan.py: trains what the settings of one say.

Each function takes the settings, the command's options, and `keep`, which it calls with the
settings and the result of each line to record, as soon as there is one.
"""

import math
import pathlib
import sys

import keras
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "examples"))

import adding_exact
import adding_training
import evidence_cells
import mnist_data
import mnist_training
import resuming
from evidence_plan import ALL_DIGITS, ERROR_EVERY
from handwriting import model as handwriting_model
from handwriting import pipeline as handwriting_pipeline
from multiplying_gru import MultiplyingGRUCell

import keras_addrnn as ka

LATER = 8  # steps
UNFINISHED = pathlib.Path(__file__).parents[1] / "build" / "evidence"  # interrupted runs
UNTRAINED_LAYERS = {
    "AddGRU, gate bias 0": ka.AddGRU,
    "AddGRU, gate bias -0.5": handwriting_model.LAYERS["AddGRU"],
    "GRU": handwriting_model.LAYERS["GRU"],
    "LSTM": handwriting_model.LAYERS["LSTM"],
}
AVERAGING_LAYERS = {
    "AddGRU": evidence_cells.VARIANTS["as it is"],
    "AddGRU, shift 1": evidence_cells.VARIANTS["hard_tanh, shift 1"],
    "AddGRU, signed": evidence_cells.VARIANTS["signed"],
    "GRU": keras.layers.GRU,
    "LSTM": keras.layers.LSTM,
    "multiplying": lambda units, **more: keras.layers.RNN(MultiplyingGRUCell(units), **more),
}


def exact(settings, options, keep):
    """How far the adders set by hand are from the true sum."""
    sums = adding_exact.compare([settings["T"]], [settings["problem"]])
    keep(settings, {each.name: each.error for each in sums})


def adding(settings, options, keep):
    run = adding_training.train(
        settings["layer"],
        settings["T"],
        units=settings["units"],
        batches=settings["batches"],
        seed=settings["seed"],
    )
    result = {"solved_after": run.solved_after, "errors": run.errors}
    keep(settings, {**result, "seconds_per_batch": run.seconds_per_batch})


def mnist(settings, options, keep):
    """A line for each epoch.

    An interrupted run goes on where it was, with the digits in the order of a first epoch again.
    """
    backup = UNFINISHED / "_".join(map(str, settings.values())).replace(", ", "_")
    resuming.epochs_done(backup)  # makes it whole
    rate = mnist_training.LEARNING_RATE
    if settings.get("rate") == "falling":
        batches = math.ceil(settings["digits"] / mnist_training.BATCH_SIZE)
        rate = keras.optimizers.schedules.CosineDecay(rate, batches * settings["epochs"])

    def keep_epoch(epoch, logs):
        result = {name: float(value) for name, value in logs.items()}
        keep({**settings, "epoch": epoch + 1}, result)

    mnist_training.train(
        settings["layer"],
        mnist_data.load(options.data_dir, full=settings["digits"] == ALL_DIGITS),
        learning_rate=rate,
        order=settings["order"],
        units=settings["units"],
        epochs=settings["epochs"],
        seed=settings["seed"],
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_end=keep_epoch),
            keras.callbacks.BackupAndRestore(backup, double_checkpoint=True),
        ],
    )


def times(settings, options, keep):
    """The processor's seconds of each layer's epochs, by one process, one layer after the other."""
    digits = mnist_data.load(options.data_dir)
    result = {}
    for layer in settings["layers"]:
        run = mnist_training.train(
            layer,
            digits,
            order=settings["order"],
            units=settings["units"],
            epochs=settings["epochs"],
            seed=settings["seed"],
        )
        result[layer] = run.history["processor_seconds"]
    keep(settings, result)


def untrained(settings, options, keep):
    """What the recurrent part of examples/handwriting puts out before it has learnt anything."""
    keras.utils.set_random_seed(settings["seed"])
    layer = UNTRAINED_LAYERS[settings["layer"]]
    part = handwriting_model.recurrent(layer, normalised=settings["normalised"])
    shape = 64, handwriting_pipeline.STEPS, handwriting_model.FEATURES
    x = np.random.default_rng(settings["seed"]).normal(size=shape)
    outputs = keras.ops.convert_to_numpy(part(np.maximum(x, 0)))
    correlation, common = statistics(outputs)
    keep(settings, {"correlation": correlation, "common": common})


def statistics(outputs):
    """Two of outputs `[batch, steps, units]`.

    Returns:
        The correlation of each unit with itself `LATER` steps later, about its mean; and the common
        part, the square of each unit's mean as part of its mean square.
    """
    means = outputs.mean((0, 1))
    moved = outputs - means
    later = np.mean(moved[:, :-LATER] * moved[:, LATER:])
    return float(later / np.mean(moved**2)), float(np.mean(means**2) / np.mean(outputs**2))


def ablation(settings, options, keep):
    variant, units, seed = (settings[name] for name in ("variant", "units", "seed"))
    if settings["on"] == "mnist":
        run = mnist_training.train(
            variant,
            mnist_data.load(options.data_dir),
            layers=evidence_cells.VARIANTS,
            units=units,
            epochs=settings["epochs"],
            seed=seed,
        )
        keep(settings, run.history)
        return
    keras.utils.set_random_seed(seed)
    timesteps = settings["T"]
    layer = evidence_cells.VARIANTS[variant](units)
    model = keras.Sequential([keras.Input((None, 2)), layer, keras.layers.Dense(1)])
    batches = _endless(adding_training.problems, seed, timesteps)
    test = adding_training.problems(np.random.default_rng(10**6), 500, timesteps)
    keep(settings, {"errors": _errors(model, batches, test, settings["batches"])})


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
    batches = _endless(averages, settings["seed"], timesteps, weight)
    test = averages(np.random.default_rng(10**6), 500, timesteps, weight)
    errors = _errors(model, batches, test, settings["batches"])
    # Of answering the mean of each step, whatever the input.
    variance = float(np.mean(np.var(test[1], axis=0)))
    keep(settings, {"errors": errors, "variance": variance})


def _endless(problems, seed, *arguments):
    """Batches to train on, drawn anew each."""
    rng = np.random.default_rng(seed)
    while True:
        yield problems(rng, adding_training.BATCH_SIZE, *arguments)


def _errors(model, batches, test, count):
    """Trains on `count` batches; the mean squared error on `test` after every `ERROR_EVERY`."""
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    history = model.fit(
        batches,
        steps_per_epoch=ERROR_EVERY,
        epochs=count // ERROR_EVERY,
        validation_data=test,
        callbacks=[keras.callbacks.TerminateOnNaN()],
        shuffle=False,
        verbose=0,
    ).history
    return history.get("val_loss", [float("nan")])


TASKS = {
    "exact": exact,
    "adding": adding,
    "mnist": mnist,
    "times": times,
    "untrained": untrained,
    "ablation": ablation,
    "averaging": averaging,
}
