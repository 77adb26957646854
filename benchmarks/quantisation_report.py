"""The table and the plot of what quantisation.py has recorded."""

import json

import numpy as np
from records import recorded

FLOAT = (32, 32)
HOW = {"post": "post-training", "aware": "quantisation-aware"}
TASKS = {"mnist": "accuracy, %", "adding": "mean squared error"}


def load(file):
    """Results by task conditions, layer, widths and kind: the list of all seeds."""
    found = {}
    for run in recorded(file).values():
        settings = dict(run["settings"])
        layer, _ = settings.pop("layer"), settings.pop("seed")
        width = settings.pop("weight_bits"), settings.pop("state_bits")
        cells = found.setdefault(json.dumps(settings), {})
        for kind, value in run["result"].items():
            cells.setdefault((layer, width, kind), []).append(value)
    return found


def print_tables(file):
    """One table for each task and conditions, a column for each layer and way of quantising."""
    from quantisation import LAYERS, WIDTHS

    for conditions, cells in load(file).items():
        settings = json.loads(conditions)
        task = settings.pop("task")
        about = ", ".join(f"{name} {value}" for name, value in settings.items())
        print(f"\n{task} ({TASKS[task]}): {about}\n")
        columns = [(layer, kind) for layer in LAYERS for kind in HOW]
        heads = [f"{layer}, {HOW[kind]}" for layer, kind in columns]
        print(f"| weights, state | {' | '.join(heads)} |\n|---|{'---:|' * len(heads)}")
        floats = [_cell(task, cells.get((layer, FLOAT, "float"))) for layer, _ in columns]
        print(f"| float | {' | '.join(floats)} |")
        for width in dict.fromkeys(width for scheme in WIDTHS.values() for width in scheme):
            row = [_cell(task, cells.get((layer, width, kind))) for layer, kind in columns]
            print(f"| {width[0]}, {width[1]} bits | {' | '.join(row)} |")


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


def plot(file, path):
    """A row for each task, a column for each scheme; solid lines are quantisation-aware."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from quantisation import LAYERS, WIDTHS

    found = load(file)
    figure, axes = plt.subplots(
        len(found), len(WIDTHS), figsize=(10, 3.6 * len(found)), squeeze=False, sharey="row"
    )
    for row, (conditions, cells) in zip(axes, found.items(), strict=True):
        task = json.loads(conditions)["task"]
        for axis, (scheme, widths) in zip(row, WIDTHS.items(), strict=True):
            for number, layer in enumerate(LAYERS):
                for kind, style in (("aware", "o-"), ("post", "x--")):
                    _line(axis, cells, _scale(task), layer, kind, widths, style, f"C{number}")
                known = cells.get((layer, FLOAT, "float"))
                if known:
                    level = _scale(task) * np.mean(known)
                    axis.axhline(level, color=f"C{number}", linewidth=0.6, label=f"{layer}, float")
            axis.set(title=f"{task}: {scheme}", xlabel="bits of the weights")
            axis.invert_xaxis()
            axis.set_xticks([weights for weights, _ in widths])
            if task == "adding":
                axis.set_yscale("log")
        row[0].set_ylabel(f"test {TASKS[task]}")
    axes[0, 0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def _line(axis, cells, scale, layer, kind, widths, style, color):
    points = [
        (width[0], scale * np.mean(cells[layer, width, kind]))
        for width in widths
        if (layer, width, kind) in cells
    ]
    if points:
        axis.plot(*zip(*points, strict=True), style, color=color, label=f"{layer}, {HOW[kind]}")
