"""Which initial weights, and which bound on the state, should AddGRU have by default?

Trains small models on two tasks, see docs/results/first-weights.md:

* adding: the adding problem, the sum of the two marked values among T. Mean squared error; 0.167
  for always answering 1. Batches of 64, Adam(1e-3).
* mnist: digits read row by row, 128 units, batches of 64, Adam(1e-3).

No gradients are clipped, as `model.fit` clips none unless it is told to.

    python -m benchmarks.defaults                    # the table of what is recorded
    python -m benchmarks.defaults --run --data-dir DIR
    python -m benchmarks.defaults --run --match task=adding T=200
"""

import functools
from itertools import product

import keras
import numpy as np

import keras_addrnn as ka
from benchmarks._harness import markdown
from benchmarks._harness.experiment import Experiment
from benchmarks._tasks import digits
from benchmarks._tasks.adding import ERROR_EVERY, SOLVED, endless, problems
from benchmarks._tasks.initializers import spread_gate_bias

ORTHOGONAL = ("gain 1", "gain 0.1", "gain 0.1 max 16")  # gain 1 as GRU's
INHIBITED = tuple(f"gain 0.1 inhibition {number}" for number in (0.2, 0.5, 1))
SHIFTED = "gain 0.1 inhibition 0.5 shift 0.5"
VARIANTS = {
    ("adding", 200, 600): (
        *("GRU", *ORTHOGONAL, "gain 0.1 bias -1..1", *INHIBITED, "gain 1 inhibition 0.5"),
        *(SHIFTED, f"{SHIFTED} activation linear", f"{SHIFTED} activation hard_tanh"),
        "gain 0.1 inhibition 0.5 max 4",
    ),
    ("adding", 400, 600): (*ORTHOGONAL, *INHIBITED),
    ("adding", 100, 600): (*ORTHOGONAL, *INHIBITED),
    ("mnist", 60_000, 3): ("GRU", *ORTHOGONAL[:2], *INHIBITED[1:]),
    ("adding", 200, 2000): ("GRU",),
}


# Names of the sizes, units, seeds.
SIZES = {"adding": (("T", "steps"), 64, 3), "mnist": (("digits", "epochs"), 128, 2)}


def plan():
    for (task, size, length), variants in VARIANTS.items():
        names, units, seeds = SIZES[task]
        sizes = dict(zip(names, (size, length), strict=True))
        for seed, variant in product(range(seeds), variants):
            yield {"task": task, **sizes, "units": units, "variant": variant, "seed": seed}


def make_layer(name, units):
    """From a name like "gain 0.1 inhibition 0.5 bias -1..1 max 16 shift 0"; "GRU" is Keras' own."""
    if name == "GRU":
        return keras.layers.GRU(units)
    words = name.split()
    value = dict(zip(words[::2], words[1::2], strict=True))
    low, _, high = value.get("bias", "0..0").partition("..")
    sizes = float(value.get("gain", 0.1)), float(value.get("inhibition", 0))
    return ka.AddGRU(
        units,
        activation=value.get("activation", "relu"),
        recurrent_initializer=ka.layers.InhibitedOrthogonal(*sizes),
        bias_initializer=spread_gate_bias(float(low), float(high)),
        state_max=float(value["max"]) if "max" in value else None,
        state_shift=float(value.get("shift", 0)),
        scale_inputs=False,  # as the recorded runs
    )


def run(settings, options, keep):
    if settings["task"] == "mnist":
        return keep(settings, mnist(settings, options))
    keras.utils.set_random_seed(settings["seed"])
    layer = make_layer(settings["variant"], settings["units"])
    keep(settings, adding(layer, settings["T"], settings["steps"], settings["seed"]))


def adding(layer, timesteps, steps, seed):
    """Every batch's loss counts here, so it trains batch by batch."""
    model = keras.Sequential([keras.Input((None, 2)), layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    x, y = problems(np.random.default_rng(10**6), 500, timesteps)
    losses, validation = [], {}
    for step, batch in zip(range(1, steps + 1), endless(problems, seed, timesteps), strict=False):
        model.reset_metrics()  # or the loss would be the mean of all batches so far
        losses.append(float(model.train_on_batch(*batch)))
        if step % ERROR_EVERY == 0 or step == steps:
            error = validation[step] = float(np.mean((model.predict_on_batch(x) - y) ** 2))
            if not np.isfinite(error):
                break
    solved = next((step for step, error in validation.items() if error < SOLVED), None)
    worst = {"first_loss": losses[0], "worst_loss": float(np.max(losses))}
    return {**worst, "solved_at": solved, "validation": validation}


def mnist(settings, options):
    sizes = {name: settings[name] for name in ("units", "epochs", "seed")}
    make = functools.partial(make_layer, settings["variant"])
    _, history = digits.train(make, digits.load(options.data_dir), **sizes)
    return {"accuracy": history["val_accuracy"], "loss": history["loss"]}


def tables(known):
    """One row per task and variant, with the results of all seeds."""
    found = {}
    for line in known.values():
        settings = {name: value for name, value in line["settings"].items() if name != "seed"}
        found.setdefault(tuple(settings.items()), []).append(line["result"])
    rows = []
    for items, results in sorted(found.items(), key=str):
        settings = dict(items)
        task, variant = settings.pop("task"), settings.pop("variant")
        about = ", ".join([task, *(f"{name} {value}" for name, value in settings.items())])
        if task == "adding":
            cells = [
                f"{result['solved_at'] or 'never'} ({list(result['validation'].values())[-1]:.4f})"
                for result in results
            ]
            worst = max(result["worst_loss"] for result in results)
        else:
            cells = [f"{100 * result['accuracy'][-1]:.2f} %" for result in results]
            worst = max(max(result["loss"]) for result in results)
        rows.append((about, variant, ", ".join(cells), f"{worst:.3g}"))
    columns = ("task", "layer", "result of each seed", "worst loss in training")
    return {"defaults": markdown.table(columns, rows)}


EXPERIMENT = Experiment(__doc__, "defaults", plan, run, tables)

if __name__ == "__main__":
    EXPERIMENT.main()
