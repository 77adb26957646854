"""The plots of docs/evidence.md, from the records."""

import numpy as np

from benchmarks._tasks import adding, digits
from benchmarks.paper_experiments import plan, runs
from benchmarks.paper_experiments.report import by_seed, epochs
from benchmarks.paper_experiments.variants import VARIANTS

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


def plots(known):
    """The name and the figure of each."""
    for name in ("adding", "mnist", "ablation", "averaging"):
        yield f"paper_experiments/{name}", globals()[f"_{name}"](known)


def _figure(panels, **arguments):
    """A row of axes."""
    from benchmarks._harness import plots

    size = (1 + 3.6 * panels) / panels, 3.8
    figure, ((*axes,),) = plots.figure(
        1, panels, size, saved_dpi=100, layout="constrained", **arguments
    )
    for axis in axes:
        axis.grid(alpha=0.3)
    return figure, axes


def _curves(axis, results, layer, scale=1.0):
    """The errors over the batches, a line for each seed."""
    label = layer
    for result in results:
        if result is not None:
            batches = adding.ERROR_EVERY * np.arange(1, len(result["errors"]) + 1)
            errors = scale * np.array(result["errors"])
            axis.plot(batches, errors, color=COLORS[layer], label=label, linewidth=1)
            label = None


def _adding(known):
    rows = by_seed(known, plan.adding(), "T", "layer")
    figure, axes = _figure(len(plan.ADDING_LENGTHS), sharey=True)
    for axis, length in zip(axes, plan.ADDING_LENGTHS, strict=True):
        for layer in adding.LAYERS:
            _curves(axis, rows[length, layer], layer)
        axis.axhline(adding.SOLVED, color="0.3", linestyle=":")
        axis.set(title=f"T = {length}", xlabel="batches", yscale="log")
        axis.legend(fontsize="x-small")
    axes[0].set_ylabel("mean squared error")
    return figure


def _mnist(known):
    figure, axes = _figure(len(digits.ORDERS))
    for axis, order in zip(axes, digits.ORDERS, strict=True):
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
    return figure


def _ablation(known):
    rows = by_seed(known, plan.ablation(), "on", "variant")
    places = range(len(VARIANTS))
    figure, (left, right) = _figure(2, sharey=True)
    for place, variant in zip(places, VARIANTS, strict=True):
        for result in filter(None, rows["mnist", variant]):
            left.plot(100 * (1 - result["val_accuracy"][-1]), place, "C0o", alpha=0.6)
        for result in filter(None, rows["adding", variant]):
            error = result["errors"][-1]
            if np.isfinite(error):
                right.plot(error, place, "C0o", alpha=0.6)
    left.set(xlabel="MNIST rows: wrong digits, %", xscale="log", yticks=list(places))
    left.set_yticklabels(VARIANTS, fontsize="small")
    left.invert_yaxis()
    right.set(xlabel="adding problem, T = 100: last error", xscale="log")
    right.axvline(adding.SOLVED, color="0.3", linestyle=":")
    return figure


def _averaging(known):
    rows = by_seed(known, plan.averaging(), "weight", "layer")
    figure, axes = _figure(len(plan.AVERAGING_WEIGHTS), sharey=True)
    for axis, weight in zip(axes, plan.AVERAGING_WEIGHTS, strict=True):
        for layer in runs.AVERAGING_LAYERS:
            results = rows[weight, layer]
            variances = [result["variance"] for result in results if result is not None]
            if variances:
                _curves(axis, results, layer, scale=1 / variances[0])
        axis.set(title=f"weight {weight}", xlabel="batches", yscale="log")
        axis.legend(fontsize="x-small")
    axes[0].set_ylabel("mean squared error, of the variance")
    return figure
