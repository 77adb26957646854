"""What the MNIST example shows at the end: a table and the learning curves."""

import matplotlib

matplotlib.use("Agg")  # no display needed

import matplotlib.pyplot as plt
import numpy as np

from keras_addrnn.files import replacing


def table(runs, fused):
    """The runs as a Markdown table; `fused` holds the names of those with the fused op."""
    rows = [("network", "test accuracy", "s / epoch", "parameters", "fused op")]
    for run in runs:
        rows.append(
            (
                run.name,
                f"{100 * run.history['val_accuracy'][-1]:.2f} %",
                f"{run.seconds_per_epoch:.2f}",
                f"{run.model.count_params():,}",
                "yes" if run.name in fused else "no",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(_aligned(row, widths)) + " |" for row in rows]
    rule = [":" + "-" * (widths[0] - 1)] + ["-" * (width - 1) + ":" for width in widths[1:]]
    return "\n".join([lines[0], "| " + " | ".join(rule) + " |", *lines[1:]])


def _aligned(row, widths):
    return [row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]


def save_curves(runs, path, title):
    """Draws the loss over the epochs and the accuracy over the seconds of training, as a PNG."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for number, run in enumerate(runs):
        epochs = np.arange(1, len(run.seconds) + 1)
        color = f"C{number}"
        left.plot(epochs, run.history["loss"], "--", color=color, alpha=0.6)
        left.plot(epochs, run.history["val_loss"], "-", color=color, label=run.name)
        right.plot(
            np.cumsum(run.seconds),
            100 * np.array(run.history["val_accuracy"]),
            ".-",
            color=color,
            label=run.name,
        )
    left.set(xlabel="epoch", ylabel="loss (cross-entropy)", yscale="log")
    left.set_title("loss: test (solid), training (dashed)", fontsize="medium")
    left.xaxis.get_major_locator().set_params(integer=True)
    right.set(xlabel="seconds of training", ylabel="test accuracy (%)")
    right.set_title("test accuracy after each epoch", fontsize="medium")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle(title)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
    plt.close(figure)
