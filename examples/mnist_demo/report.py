"""The tables and the learning curves of the MNIST demonstration."""

import matplotlib

matplotlib.use("Agg")  # no display needed

import matplotlib.pyplot as plt
import numpy as np
from common.epoch_times import per_epoch

from mnist_demo.training import OURS


def networks(runs, fused_op):
    """Keras' histories, a dict by name, as a Markdown table; `fused_op`: our layers run on it."""
    head = ("network", "test accuracy", "s / epoch", "parameters", "fused op")
    rows = [
        (
            name,
            percent(run.history["val_accuracy"][-1]),
            f"{per_epoch(run.history['seconds']):.2f}",
            f"{run.model.count_params():,}",
            "yes" if fused_op and name.partition("(")[0] in OURS else "no",
        )
        for name, run in runs.items()
    ]
    return markdown([head, *rows])


def litert(files, answers):
    """The converted models as a Markdown table, and why those that are missing are."""
    rows = [("LiteRT file", "kB", "test accuracy", "same class as Keras", "µs a digit")]
    why_not = ""
    for name, content in files.items():
        if name in answers:
            size, answer = f"{len(content) / 1000:.0f}", answers[name]
            rates = percent(answer.accuracy), percent(answer.same_class)
            rows.append((name, size, *rates, f"{1e6 * answer.seconds_per_digit:.0f}"))
        else:
            rows.append((name, "-", "-", "-", "-"))
            why_not += f"\n{name}: {content}"
    return markdown(rows) + why_not


def percent(fraction):
    """As `1.23 %`."""
    return f"{100 * fraction:.2f} %"


def integers(answers, size, model):
    """Two lines about the integer model, whose file has `size` bytes."""
    share = size / (4 * model.count_params())
    return (
        f"           {percent(answers.accuracy)} of the test digits right, the same class as "
        f"Keras for {percent(answers.same_class)}\n"
        f"           {size / 1000:.0f} kB, {100 * share:.0f} % of the float weights; "
        f"{1e6 * answers.seconds_per_digit:.0f} µs a digit, without TensorFlow"
    )


def markdown(rows):
    """An aligned table; the first row is its head, the first column its names."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) + " |"
        for row in rows
    ]
    rule = [":" + "-" * (widths[0] - 1)] + ["-" * (width - 1) + ":" for width in widths[1:]]
    return "\n".join([lines[0], "| " + " | ".join(rule) + " |", *lines[1:]])


def save_curves(runs, path):
    """Draws the loss over the epochs and the accuracy over the seconds of training, as a PNG."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for number, (name, run) in enumerate(runs.items()):
        history, color = run.history, f"C{number}"
        epochs = np.arange(1, len(history["loss"]) + 1)
        accuracy = 100 * np.array(history["val_accuracy"])
        left.plot(epochs, history["loss"], ".--", color=color, alpha=0.6)
        left.plot(epochs, history["val_loss"], ".-", color=color, label=name)
        right.plot(np.cumsum(history["seconds"]), accuracy, ".-", color=color, label=name)
    left.set(xlabel="epoch", ylabel="loss (cross-entropy)", yscale="log")
    left.set_title("loss: test (solid), training (dashed)", fontsize="medium")
    left.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    left.set_xlim(0.5, epochs[-1] + 0.5)  # one epoch has its place too
    right.set(xlabel="seconds of training", ylabel="test accuracy (%)")
    right.set_title("test accuracy after each epoch", fontsize="medium")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle("MNIST read row by row, 28 steps of 28")
    figure.savefig(path, dpi=120)
    plt.close(figure)
