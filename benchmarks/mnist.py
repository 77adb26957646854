"""AddGRU, GRU and LSTM on all of MNIST, row by row, with several seeds: accuracy and time.

The networks and the training are those of examples/mnist.py. Writes the table and the learning
curves of the first seed to benchmarks/results/.

    python benchmarks/mnist.py --data-dir DIR        # IDX files of MNIST; about half an hour
"""

import argparse
import os
import pathlib
import statistics
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "examples"))

import mnist_data
import mnist_report
import mnist_training
from machine import description, write

RESULTS = pathlib.Path(__file__).parent / "results"


def table(runs, options):
    """A Markdown table of `runs`, `{layer: [Run of each seed]}`."""
    lines = [
        f"{description()}, {os.cpu_count()} processors. {options.epochs} epochs, batches of 64, "
        "Adam(0.001).\n",
        "| network | test accuracy of each seed | mean | s / epoch (median) | GRU's time / its |",
        "|---|---|---:|---:|---:|",
    ]
    seconds = {
        kind: statistics.median(run.seconds_per_epoch for run in of_kind)
        for kind, of_kind in runs.items()
    }
    for kind, of_kind in runs.items():
        accuracies = [100 * run.history["val_accuracy"][-1] for run in of_kind]
        lines.append(
            f"| {of_kind[0].name} | {', '.join(f'{a:.2f} %' for a in accuracies)} "
            f"| {statistics.mean(accuracies):.2f} % | {seconds[kind]:.2f} "
            f"| {seconds['GRU'] / seconds[kind]:.1f} |"
        )
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=pathlib.Path, help="of IDX files of MNIST")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--units", type=int, default=128)
    options = parser.parse_args()

    digits = mnist_data.load(options.data_dir, full=True)
    runs = {kind: [] for kind in mnist_training.COMPARED}
    for seed in range(options.seeds):
        # In turn, so that a busy machine is as busy for each.
        for kind in runs:
            run = mnist_training.train(
                kind, digits, units=options.units, epochs=options.epochs, seed=seed
            )
            runs[kind].append(run)
    RESULTS.mkdir(exist_ok=True)
    first = [of_kind[0] for of_kind in runs.values()]
    title = "MNIST read row by row, 60,000 digits"
    mnist_report.save_curves(first, RESULTS / "mnist.png", title=title)
    text = table(runs, options)
    write(RESULTS / "mnist.md", text)
    print(text)


if __name__ == "__main__":
    main()
