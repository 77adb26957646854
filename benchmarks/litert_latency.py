"""AddGRU in LiteRT, in both forms, beside Keras' GRU and LSTM: size, latency, error.

Each layer returns its last output, in float32, on one thread. All are in one process and take
turns, so that a busy machine is as busy for each. Weights are those that the layers start with; the
error is that against Keras' own operations. (TensorFlow would import a file named litert.py.)

    python benchmarks/litert_latency.py
    python benchmarks/litert_latency.py --seconds 30 --write table.md
"""

import argparse
import importlib.metadata

import keras
import machine
import numpy as np

import keras_addrnn as ka
from keras_addrnn import bench

# (batch, time, inputs, units)
SHAPES = [(1, 28, 28, 128), (1, 100, 40, 128), (1, 100, 256, 512)]
LAYERS = {
    "AddGRU, fused": (ka.AddGRU, "fused"),
    "AddGRU, builtin": (ka.AddGRU, "builtin"),
    "GRU": (keras.layers.GRU, "builtin"),
    "LSTM": (keras.layers.LSTM, "builtin"),
}


class Converted:
    """A layer as a LiteRT file, ready to run on an input."""

    def __init__(self, layer, ops, x):
        model = keras.Sequential([keras.Input(x.shape[1:]), layer])
        content = ka.lite.convert(model, ops=ops, batch_size=len(x))
        self.kilobytes = len(content) / 1000
        self._interpreter = ka.lite.Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(self._interpreter.get_input_details()[0]["index"], x)
        self.run = self._interpreter.invoke
        self.run()
        if isinstance(layer, ka.AddGRU):
            layer.implementation = "composed"  # which does not share its arithmetic
        expected = keras.ops.convert_to_numpy(model(x))
        answer = self._interpreter.get_tensor(self._interpreter.get_output_details()[0]["index"])
        self.error = np.abs(answer - expected).max() / np.abs(expected).max()


def measure(shape, seconds):
    """The rows of the table for one shape."""
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=shape[:3]).astype("float32")
    converted = {name: Converted(layer(shape[3]), ops, x) for name, (layer, ops) in LAYERS.items()}
    functions = {name: each.run for name, each in converted.items()}
    times = bench.in_turn(functions, seconds)
    for name, each in converted.items():
        yield (
            str(shape),
            name,
            f"{each.kilobytes:,.0f}",
            f"{1000 * times[name]:,.0f}",
            f"{times[name] / times['AddGRU, fused']:.1f}",
            f"{each.error:.0e}",
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5, help="for each shape, at least")
    parser.add_argument("--write", metavar="FILE", help="also write the table there")
    options = parser.parse_args()

    lines = [
        f"{machine.description()}, LiteRT {importlib.metadata.version('ai-edge-litert')}, "
        "1 thread.",
        "",
        "| (B, T, D, H) | layer | file, kB | median, µs | / AddGRU fused | max error / max |",
        "|---|---|---:|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    for shape in SHAPES:
        for row in measure(shape, options.seconds):
            lines.append("| " + " | ".join(row) + " |")
            print(lines[-1], flush=True)
    if options.write:
        machine.write(options.write, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
