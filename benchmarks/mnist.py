"""Our layers, GRU and LSTM on all of MNIST, row by row, with several seeds: accuracy and time.

python -m benchmarks.mnist --data-dir DIR        # IDX files of MNIST; about half an hour
"""

import os
import statistics

import numpy as np

import keras_addrnn as ka
from benchmarks._harness import machine, markdown, page, plots
from benchmarks._tasks import digits
from benchmarks._tasks.two_layers import TwoLayers

LAYERS = {
    "AddGRU": ka.AddGRU,
    "MinAddGRU": ka.MinAddGRU,
    "two MinAddGRU": TwoLayers,
    **{name: digits.LAYERS[name] for name in ("GRU", "LSTM")},
}
EPOCHS, SEEDS, UNITS = 5, 3, 128


def rows(runs):
    """The rows of the table of `runs`, `{layer: [history of each seed]}`."""
    # The processor's: on a busy machine an epoch can last twice as long for no reason of its own.
    seconds = {
        # The first epoch traces and compiles.
        kind: statistics.median(statistics.median(run["processor_seconds"][1:]) for run in of_kind)
        for kind, of_kind in runs.items()
    }
    for kind, of_kind in runs.items():
        accuracies = [100 * run["val_accuracy"][-1] for run in of_kind]
        yield (
            f"{kind}({UNITS})",
            ", ".join(f"{accuracy:.2f} %" for accuracy in accuracies),
            f"{statistics.mean(accuracies):.2f} %",
            f"{seconds[kind]:.2f}",
            f"{seconds['GRU'] / seconds[kind]:.1f}",
        )


def plot(runs):
    """Of the first seed: the loss over the epochs, the accuracy over the seconds of training."""
    figure, ((left, right),) = plots.figure(1, 2, (5.5, 4.2), layout="constrained")
    for number, (kind, (history, *_)) in enumerate(runs.items()):
        style = {"color": f"C{number}", "label": f"{kind}({UNITS})"}
        epochs = range(1, 1 + len(history["loss"]))
        left.plot(epochs, history["loss"], ".--", color=style["color"], alpha=0.6)
        left.plot(epochs, history["val_loss"], ".-", **style)
        right.plot(
            np.cumsum(history["seconds"]), 100 * np.array(history["val_accuracy"]), ".-", **style
        )
    left.set(xlabel="epoch", ylabel="loss: test (solid), training (dashed)", yscale="log")
    right.set(xlabel="seconds of training", ylabel="test accuracy (%)")
    for axis in (left, right):
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle("MNIST read row by row")
    plots.save(figure, machine.folder() / "mnist.png")


def main(arguments=None):
    options = page.parser(__doc__, mnist=True).parse_args(arguments)
    data = digits.load(options.data_dir)
    runs = {kind: [] for kind in LAYERS}
    for seed in range(SEEDS):
        # In turn, so that a busy machine is as busy for each.
        for kind, found in runs.items():
            found.append(digits.train(LAYERS[kind], data, units=UNITS, epochs=EPOCHS, seed=seed)[1])
    about = (
        f"{machine.description()}, {os.cpu_count()} processors. {EPOCHS} epochs, "
        f"{len(data[1]):,} digits, batches of 64, Adam(0.001)."
    )
    columns = ("network", "test accuracy of each seed", "mean", "processor s / epoch (median)")
    table = markdown.lines((*columns, "GRU's time / its"), rows(runs), text=1)
    page.publish("mnist", options, about, table)
    if options.save:
        plot(runs)


if __name__ == "__main__":
    main()
