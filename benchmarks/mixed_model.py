"""Whether other layers of a model get slower where AddGRU, with threads of its own, is among them.

A model of convolutions and dense layers with a recurrent layer in the middle, beside the parts on
their own: what stands before it, the recurrent layer, and what stands behind it. All in one
process, in turn, so that they share TensorFlow's pool of threads and ours. With the backward pass
the whole takes longer than the sum, whichever the layer: a part on its own has no use for the
gradient of its inputs.

    python -m benchmarks.mixed_model
    python -m benchmarks.mixed_model --threads 2
"""

import keras
import numpy as np
from keras.layers import Conv1D, Dense

from benchmarks._harness import machine, markdown, page
from keras_addrnn.layers import AddGRU
from keras_addrnn_cli import bench

BATCH, STEPS, FEATURES, UNITS = 64, 28, 64, 128
COLUMNS = ("before", "layer", "behind", "sum", "whole model", "whole / sum")


def models(make):
    """The three parts and the whole model: each with the number of its inputs' features."""

    def part(features, *layers):
        return keras.Sequential([keras.Input((STEPS, features), batch_size=BATCH), *layers])

    recurrent = make(UNITS, return_sequences=True)
    convolution = {"padding": "same", "activation": "relu"}
    before = part(FEATURES, Conv1D(128, 5, **convolution), Conv1D(UNITS, 5, **convolution))
    behind = part(UNITS, Dense(512, activation="relu"), Dense(UNITS, activation="relu"))
    whole = part(FEATURES, before, recurrent, behind)
    return {
        "before": (before, FEATURES),
        "layer": (recurrent, UNITS),
        "behind": (behind, UNITS),
        "whole": (whole, FEATURES),
    }


def measure(seconds):
    """The rows of the table."""
    passes = {"forward": bench.forward, "forward + backward": bench.gradients}
    for make in (AddGRU, keras.layers.GRU):
        for title, function in passes.items():
            functions = {
                name: function(model, np.ones((BATCH, STEPS, features), "float32"))
                for name, (model, features) in models(make).items()
            }
            *parts, whole = bench.in_turn(functions, seconds).values()
            cells = [*parts, sum(parts), whole, whole / sum(parts)]
            yield make.__name__, title, *(f"{cell:.2f}" for cell in cells)


def main(arguments=None):
    options = page.parser(__doc__, seconds=10, threads=True).parse_args(arguments)
    machine.use_threads(options.threads)
    about = f"{machine.description()}, {options.threads} threads. (B, T, D, H) = "
    about += f"{(BATCH, STEPS, UNITS, UNITS)}; medians in ms."
    columns = ("in the middle", "pass", *COLUMNS)
    table = markdown.lines(columns, measure(options.seconds), text=2)
    page.publish("mixed_model", options, about, table)


if __name__ == "__main__":
    main()
