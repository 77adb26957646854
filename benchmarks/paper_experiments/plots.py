"""The plots of docs/results, from the records."""

import numpy as np

from benchmarks._harness.seeds import by_seed
from benchmarks._tasks import adding, digits
from benchmarks.paper_experiments import plan
from benchmarks.paper_experiments.report import epochs
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


def _learning(known, planned, name, title):
    """A panel for each value of the setting `name`: errors over batches, a line for each seed."""
    rows = by_seed(known, planned, name, "layer")
    values = dict.fromkeys(value for value, _ in rows)
    figure, axes = _figure(len(values), sharey=True)
    for axis, value in zip(axes, values, strict=True):
        for layer in (layer for panel, layer in rows if panel == value):
            label = layer
            for result in filter(None, rows[value, layer]):
                batches = adding.ERROR_EVERY * np.arange(1, len(result["errors"]) + 1)
                errors = np.array(result["errors"]) / result.get("variance", 1)
                axis.plot(batches, errors, color=COLORS[layer], label=label, linewidth=1)
                label = None
        if name == "T":
            axis.axhline(adding.SOLVED, color="0.3", linestyle=":")
        axis.set(title=title.format(value), xlabel="batches", yscale="log")
        axis.legend(fontsize="x-small")
    return figure, axes[0]


def _adding(known):
    figure, axis = _learning(known, plan.adding(), "T", "T = {}")
    axis.set_ylabel("mean squared error")
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
                label, style = None if name in named else name, "--" if "rate" in settings else "-"
                color = COLORS[settings["layer"]]
                axis.plot(range(1, len(run) + 1), errors, style, color=color, label=label, lw=1)
                named.add(name)
        axis.set(title=order if named else f"{order}: NOT RUN", xlabel="epoch", yscale="log")
        if named:
            axis.legend(fontsize="x-small")
    axes[0].set_ylabel("wrong test digits, %")
    return figure


def _ablation(known):
    rows = by_seed(known, plan.ablation(), "on", "variant")
    figure, (left, right) = _figure(2, sharey=True)
    for place, variant in enumerate(VARIANTS):
        for result in filter(None, rows["mnist", variant]):
            left.plot(100 * (1 - result["val_accuracy"][-1]), place, "C0o", alpha=0.6)
        for result in filter(None, rows["adding", variant]):
            error = result["errors"][-1]
            if np.isfinite(error):
                right.plot(error, place, "C0o", alpha=0.6)
    left.set(xlabel="MNIST rows: wrong digits, %", xscale="log", yticks=range(len(VARIANTS)))
    left.set_yticklabels(VARIANTS, fontsize="small")
    left.invert_yaxis()
    right.set(xlabel="adding problem, T = 100: last error", xscale="log")
    right.axvline(adding.SOLVED, color="0.3", linestyle=":")
    return figure


def _averaging(known):
    figure, axis = _learning(known, plan.averaging(), "weight", "weight {}")
    axis.set_ylabel("mean squared error, of the variance")
    return figure
