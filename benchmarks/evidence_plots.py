"""The plots of docs/evidence.md, from what evidence.py has recorded."""

import contextlib

import evidence_plan as plan
import matplotlib
import numpy as np
from evidence_report import by_seed, epochs

from addrnn._atomic_file import replacing

matplotlib.use("Agg")  # no display needed

import matplotlib.pyplot as plt

COLORS = {
    "AddGRU": "C0",
    "AddGRU, hard_tanh": "C6",
    "AddGRU, shift 0.5": "C4",
    "AddGRU, shift 1": "C9",
    "AddGRU, signed": "C5",
    "multiplying": "C1",
    "GRU": "C2",
    "LSTM": "C3",
    "SimpleRNN": "0.5",
}


def write(known, directory):
    """Draws all of them, as PNGs."""
    _adding(known, directory / "evidence_adding.png")
    _mnist(known, directory / "evidence_mnist.png")
    _ablation(known, directory / "evidence_ablation.png")
    _averaging(known, directory / "evidence_averaging.png")


@contextlib.contextmanager
def _figure(path, panels, **arguments):
    """Gives a row of axes, and saves them."""
    figure, axes = plt.subplots(
        1, panels, figsize=(1 + 3.6 * panels, 3.8), layout="constrained", squeeze=False, **arguments
    )
    yield axes[0]
    for axis in axes[0]:
        axis.grid(alpha=0.3)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100)
    plt.close(figure)


def _curves(axis, results, layer, scale=1.0):
    """The errors over the batches, a line for each seed."""
    label = layer
    for result in results:
        if result is not None:
            batches = plan.ERROR_EVERY * np.arange(1, len(result["errors"]) + 1)
            errors = scale * np.array(result["errors"])
            axis.plot(batches, errors, color=COLORS[layer], label=label, linewidth=1)
            label = None


def _adding(known, path):
    rows = by_seed(known, plan.adding(), "T", "layer")
    with _figure(path, len(plan.ADDING_LENGTHS), sharey=True) as axes:
        for axis, length in zip(axes, plan.ADDING_LENGTHS, strict=True):
            for layer in plan.ADDING_LAYERS:
                _curves(axis, rows[length, layer], layer)
            axis.axhline(plan.ADDING_SOLVED, color="0.3", linestyle=":")
            axis.set(title=f"T = {length}", xlabel="batches", yscale="log")
            axis.legend(fontsize="x-small")
        axes[0].set_ylabel("mean squared error")


def _mnist(known, path):
    with _figure(path, len(plan.MNIST_ORDERS)) as axes:
        for axis, order in zip(axes, plan.MNIST_ORDERS, strict=True):
            named = set()
            for settings in plan.mnist():
                run = epochs(known, settings) if settings["order"] == order else ()
                if run:
                    name = plan.mnist_name(settings)
                    errors = [100 * (1 - result["val_accuracy"]) for result in run]
                    axis.plot(
                        range(1, len(run) + 1),
                        errors,
                        color=COLORS[settings["layer"]],
                        linestyle="--" if "rate" in settings else "-",
                        label=None if name in named else name,
                        linewidth=1,
                    )
                    named.add(name)
            axis.set(title=order if named else f"{order}: NOT RUN", xlabel="epoch", yscale="log")
            if named:
                axis.legend(fontsize="x-small")
        axes[0].set_ylabel("wrong test digits, %")


def _ablation(known, path):
    rows = by_seed(known, plan.ablation(), "on", "variant")
    places = range(len(plan.VARIANTS))
    with _figure(path, 2, sharey=True) as (left, right):
        for place, variant in zip(places, plan.VARIANTS, strict=True):
            for result in filter(None, rows["mnist", variant]):
                left.plot(100 * (1 - result["val_accuracy"][-1]), place, "C0o", alpha=0.6)
            for result in filter(None, rows["adding", variant]):
                error = result["errors"][-1]
                if np.isfinite(error):
                    right.plot(error, place, "C0o", alpha=0.6)
        left.set(xlabel="MNIST rows: wrong digits, %", xscale="log", yticks=list(places))
        left.set_yticklabels(plan.VARIANTS, fontsize="small")
        left.invert_yaxis()
        right.set(xlabel="adding problem, T = 100: last error", xscale="log")
        right.axvline(plan.ADDING_SOLVED, color="0.3", linestyle=":")


def _averaging(known, path):
    rows = by_seed(known, plan.averaging(), "weight", "layer")
    with _figure(path, len(plan.AVERAGING_WEIGHTS), sharey=True) as axes:
        for axis, weight in zip(axes, plan.AVERAGING_WEIGHTS, strict=True):
            for layer in plan.AVERAGING_LAYERS:
                results = rows[weight, layer]
                variances = [result["variance"] for result in results if result is not None]
                if variances:
                    _curves(axis, results, layer, scale=1 / variances[0])
            axis.set(title=f"weight {weight}", xlabel="batches", yscale="log")
            axis.legend(fontsize="x-small")
        axes[0].set_ylabel("mean squared error, of the variance")
