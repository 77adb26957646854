"""The tables and the plot of quantization with few bits, from the records."""

import json

import numpy as np

from benchmarks._harness import markdown
from benchmarks.quantization.plan import FLOAT, LAYERS, WIDTHS

HOW = {"post": "post-training", "aware": "quantization-aware"}
TASKS = {"mnist": "accuracy, %", "adding": "mean squared error"}


def group(known):
    """Results by task conditions, layer, widths and kind: the list of all seeds."""
    found = {}
    for run in known.values():
        settings = dict(run["settings"])
        layer, _ = settings.pop("layer"), settings.pop("seed")
        width = settings.pop("weight_bits"), settings.pop("state_bits")
        cells = found.setdefault(json.dumps(settings), {})
        for kind, value in run["result"].items():
            cells.setdefault((layer, width, kind), []).append(value)
    return {key: found[key] for key in sorted(found, reverse=True)}


def tables(known):
    """One table for each task and conditions, a column for each layer and way of quantizing."""
    text = ""
    columns = [(layer, kind) for layer in LAYERS for kind in HOW]
    heads = [f"{layer}, {HOW[kind]}" for layer, kind in columns]
    for conditions, cells in group(known).items():
        settings = json.loads(conditions)
        task = settings.pop("task")
        about = ", ".join(f"{name} {value}" for name, value in settings.items())
        floats = (_cell(task, cells.get((layer, FLOAT, "float"))) for layer, _ in columns)
        rows = [["float", *floats]]
        for width in dict.fromkeys(width for scheme in WIDTHS.values() for width in scheme):
            found = (_cell(task, cells.get((layer, width, kind))) for layer, kind in columns)
            rows.append(["{}, {} bits".format(*width), *found])
        table = markdown.table(["weights, state", *heads], rows, text=1)
        text += f"\n{task} ({TASKS[task]}): {about}\n\n{table}"
    return {"quantization": text}


def _scale(task):
    return 100 if task == "mnist" else 1  # percent


def _cell(task, values):
    """The mean and the range of the seeds, or of those that there are."""
    if not values:
        return "NOT RUN"
    form = "{:.2f}" if task == "mnist" else "{:.4f}"
    values = _scale(task) * np.array(values)
    text = form.format(values.mean())
    if len(values) > 1:
        text += f" ({form.format(values.min())} to {form.format(values.max())})"
    return text if len(values) == 3 else f"{text}, {len(values)} of 3 seeds"


def plots(known):
    """A row for each task, a column for each scheme; solid lines are quantization-aware."""
    from benchmarks._harness import plots

    found = group(known)
    figure, axes = plots.figure(len(found), len(WIDTHS), (5, 3.6), sharey="row")
    for row, (conditions, cells) in zip(axes, found.items(), strict=True):
        task = json.loads(conditions)["task"]
        for axis, (scheme, widths) in zip(row, WIDTHS.items(), strict=True):
            for number, layer in enumerate(LAYERS):
                for kind, style in (("aware", "o-"), ("post", "x--")):
                    _line(axis, cells, _scale(task), layer, kind, widths, style, f"C{number}")
                known_float = cells.get((layer, FLOAT, "float"))
                if known_float:
                    level = _scale(task) * np.mean(known_float)
                    axis.axhline(level, color=f"C{number}", linewidth=0.6, label=f"{layer}, float")
            axis.set(title=f"{task}: {scheme}", xlabel="bits of the weights")
            axis.invert_xaxis()
            axis.set_xticks([weights for weights, _ in widths])
            if task == "adding":
                axis.set_yscale("log")
        row[0].set_ylabel(f"test {TASKS[task]}")
    axes[0, 0].legend(fontsize=7)
    figure.tight_layout()
    yield "quantization", figure


def _line(axis, cells, scale, layer, kind, widths, style, color):
    points = [
        (width[0], scale * np.mean(cells[layer, width, kind]))
        for width in widths
        if (layer, width, kind) in cells
    ]
    if points:
        axis.plot(*zip(*points, strict=True), style, color=color, label=f"{layer}, {HOW[kind]}")
