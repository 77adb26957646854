"""What LiteRT's quantised forms cost in accuracy: a network trained on MNIST by rows, in each.

The network and the training are those of examples/mnist.py; the samples for int8 and int16x8 are
digits of the training data. Every form answers all test digits.

    python benchmarks/litert_accuracy.py --data-dir DIR --write table.md    # IDX files of MNIST
"""

import argparse
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "examples"))

import mnist_data
import mnist_training
import numpy as np
from machine import description, write

import addrnn.lite
import keras_addrnn as ka

KINDS = ("AddGRU", "GRU")
QUANTIZE = (None, "float16", "dynamic", "int8", "int16x8")
SAMPLES, BATCH = 500, 100


def accuracy(content, images, labels):
    """The share of the images that a file of a fixed batch answers rightly."""
    run = addrnn.lite.Interpreter(model_content=content, num_threads=1).get_signature_runner()
    answers = []
    for begin in range(0, len(images), BATCH):
        (answer,) = run(rows=images[begin : begin + BATCH]).values()
        answers.append(answer.argmax(-1))
    return float((np.concatenate(answers) == labels).mean())


def measure(run, train, test, labels):
    """The rows of the table for one trained network."""
    for ops in ("builtin", "fused") if run.name.startswith("AddGRU") else ("builtin",):
        for quantize in QUANTIZE:
            if ops == "fused" and quantize in ("int8", "int16x8"):
                continue  # the operator computes in float32
            samples = train[:SAMPLES] if quantize in ("int8", "int16x8") else None
            content = ka.lite.convert(
                run.model,
                ops=ops,
                batch_size=BATCH,
                quantize=quantize,
                representative_data=samples,
            )
            found = 100 * accuracy(content, test, labels)
            keras_found = 100 * run.history["val_accuracy"][-1]
            yield (
                f"| {run.name} | {ops} | {quantize or 'float32'} | {len(content) / 1000:.0f} "
                f"| {found:.2f} % | {found - keras_found:+.2f} |"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data-dir", type=pathlib.Path, help="of IDX files of MNIST")
    add("--epochs", type=int, default=3)
    add("--units", type=int, default=128)
    add("--seed", type=int, default=0)
    add("--write", metavar="FILE", help="also write the table there")
    options = parser.parse_args()

    digits = mnist_data.load(options.data_dir, full=True)
    train, test = mnist_training.scaled(digits.x_train), mnist_training.scaled(digits.x_test)
    lines = [
        f"{description()}. {len(train):,} digits, {options.epochs} epochs, seed {options.seed}; "
        f"{len(test):,} test digits.",
        "",
        "| network | form | quantize | file, kB | test accuracy | points above Keras' |",
        "|---|---|---|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    for kind in KINDS:
        run = mnist_training.train(
            kind, digits, units=options.units, epochs=options.epochs, seed=options.seed
        )
        for line in measure(run, train, test, digits.y_test):
            lines.append(line)
            print(line, flush=True)
    if options.write:
        write(options.write, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
