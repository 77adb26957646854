"""Whether other layers of a model get slower where AddGRU, with threads of its own, is among them.

A model of convolutions and dense layers with a recurrent layer in the middle, beside the parts on
their own: what stands before it, the recurrent layer, and what stands behind it. All in one
process, in turn, so that they share TensorFlow's pool of threads and ours. With the backward pass
the whole takes longer than the sum, whichever the layer: a part on its own has no use for the
gradient of its inputs.

    python benchmarks/other_layers.py
    python benchmarks/other_layers.py --threads 2 --write benchmarks/results/other_layers.md
"""

import argparse
import os

import workers

from keras_addrnn_cli import bench

BATCH, STEPS, FEATURES, UNITS = 64, 28, 64, 128


def models(make):
    """The whole model and its three parts: a function and its input for each."""
    import keras

    recurrent = make(UNITS, return_sequences=True)
    before = keras.Sequential(
        [
            keras.Input((STEPS, FEATURES), batch_size=BATCH),
            keras.layers.Conv1D(128, 5, padding="same", activation="relu"),
            keras.layers.Conv1D(UNITS, 5, padding="same", activation="relu"),
        ]
    )
    behind = keras.Sequential(
        [
            keras.Input((STEPS, UNITS), batch_size=BATCH),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dense(UNITS, activation="relu"),
        ]
    )
    inputs = keras.Input((STEPS, FEATURES), batch_size=BATCH)
    whole = keras.Model(inputs, behind(recurrent(before(inputs))))
    return {
        "whole": (whole, FEATURES),
        "before": (before, FEATURES),
        "recurrent": (recurrent, UNITS),
        "behind": (behind, UNITS),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--threads", type=int, default=len(os.sched_getaffinity(0)), help="all unless given"
    )
    parser.add_argument("--seconds", type=float, default=10, help="for each layer and pass")
    parser.add_argument("--write", metavar="FILE", help="also write the table there")
    options = parser.parse_args()

    workers.start_tensorflow(options.threads)
    import keras
    import numpy as np
    from machine import description, write

    from keras_addrnn.layers import AddGRU

    lines = [
        f"{description()}, {options.threads} threads. (B, T, D, H) = "
        f"{(BATCH, STEPS, UNITS, UNITS)}; medians in ms.",
        "",
        "| in the middle | pass | before | layer | behind | sum | whole model | whole / sum |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    for make in (AddGRU, keras.layers.GRU):
        for title, function in (
            ("forward", bench.forward),
            ("forward + backward", bench.gradients),
        ):
            functions = {
                name: function(model, np.ones((BATCH, STEPS, features), "float32"))
                for name, (model, features) in models(make).items()
            }
            times = bench.in_turn(functions, options.seconds)
            total = sum(time for name, time in times.items() if name != "whole")
            cells = [*(times[name] for name in ("before", "recurrent", "behind")), total]
            lines.append(
                f"| {make.__name__} | {title} | "
                + " | ".join(f"{cell:.2f}" for cell in [*cells, times["whole"]])
                + f" | {times['whole'] / total:.2f} |"
            )
            print(lines[-1], flush=True)
    if options.write:
        write(options.write, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
