"""AddGRU, GRU and LSTM on all of MNIST, row by row, with several seeds: accuracy and time.

python -m benchmarks.mnist --data-dir DIR        # IDX files of MNIST; about half an hour
"""

import os
import pathlib
import statistics

from benchmarks._harness import machine, page

LAYERS = ("AddGRU", "GRU", "LSTM")


def rows(runs):
    """The rows of the table of `runs`, `{layer: [Run of each seed]}`."""
    seconds = {
        kind: statistics.median(run.seconds_per_epoch for run in of_kind)
        for kind, of_kind in runs.items()
    }
    for kind, of_kind in runs.items():
        accuracies = [100 * run.history["val_accuracy"][-1] for run in of_kind]
        yield (
            of_kind[0].name,
            ", ".join(f"{accuracy:.2f} %" for accuracy in accuracies),
            f"{statistics.mean(accuracies):.2f} %",
            f"{seconds[kind]:.2f}",
            f"{seconds['GRU'] / seconds[kind]:.1f}",
        )


def plot(runs):
    """Of the first seed: the loss over the epochs, the accuracy over the seconds of training."""
    import numpy as np

    from benchmarks._harness import plots

    figure, ((left, right),) = plots.figure(1, 2, (5.5, 4.2), layout="constrained")
    for number, (run, *_) in enumerate(runs.values()):
        history, style = run.history, {"color": f"C{number}", "label": run.name}
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
    parser = page.parser(__doc__)
    add = parser.add_argument
    add("--data-dir", type=pathlib.Path, help="of IDX files of MNIST; 10,000 digits without it")
    add("--epochs", type=int, default=5)
    add("--seeds", type=int, default=3)
    add("--units", type=int, default=128)
    options = parser.parse_args(arguments)

    from benchmarks._tasks import digits

    data = digits.load(options.data_dir, full=options.data_dir is not None)
    runs = {kind: [] for kind in LAYERS}
    sizes = {"units": options.units, "epochs": options.epochs}
    for seed in range(options.seeds):
        # In turn, so that a busy machine is as busy for each.
        for kind in runs:
            runs[kind].append(digits.train(kind, data, seed=seed, **sizes))
    with page.Page("mnist", options) as out:
        out.put(
            f"{machine.description()}, {os.cpu_count()} processors. {options.epochs} epochs, "
            f"{len(data[1]):,} digits, batches of 64, Adam(0.001).",
            "",
        )
        columns = ("network", "test accuracy of each seed", "mean", "s / epoch (median)")
        out.table((*columns, "GRU's time / its"), rows(runs))
    if options.save:
        plot(runs)


if __name__ == "__main__":
    main()
