"""What LiteRT's quantized forms cost in accuracy: a network trained on MNIST by rows, in each.

The samples for int8 and int16x8 are digits of the training data. Every form answers all test
digits.

    python -m benchmarks.litert_accuracy --data-dir DIR    # IDX files of MNIST
"""

import addrnn.lite
import keras_addrnn as ka
from benchmarks._harness import machine, markdown, page
from benchmarks._tasks import digits

KINDS = ("AddGRU", "GRU")
QUANTIZE = (None, "float16", "dynamic", "int8", "int16x8")
SAMPLES, BATCH = 500, 100
UNITS, EPOCHS, SEED = 128, 3, 0


def accuracy(content, images, labels):
    """The share of the images that a file of a fixed batch answers rightly."""
    run = addrnn.lite.Interpreter(model_content=content, num_threads=1).get_signature_runner()
    right = 0
    for begin in range(0, len(images), BATCH):
        (answer,) = run(rows=images[begin : begin + BATCH]).values()
        right += (answer.argmax(-1) == labels[begin : begin + BATCH]).sum()
    return float(right / len(labels))


def measure(kind, data):
    """The rows of the table for one network."""
    model, history = digits.train(digits.LAYERS[kind], data, units=UNITS, epochs=EPOCHS, seed=SEED)
    train, test, labels = digits.sequences(data[0]), digits.sequences(data[2]), data[3]
    for ops in ("builtin", "fused") if kind == "AddGRU" else ("builtin",):
        for quantize in QUANTIZE:
            integers = quantize in ("int8", "int16x8")
            if ops == "fused" and integers:
                continue  # the operator computes in float32
            samples = train[:SAMPLES] if integers else None
            options = {"quantize": quantize, "representative_data": samples}
            content = ka.lite.convert(model, ops=ops, batch_size=BATCH, **options)
            found = 100 * accuracy(content, test, labels)
            difference = found - 100 * history["val_accuracy"][-1]
            cells = f"{len(content) / 1000:.0f}", f"{found:.2f} %", f"{difference:+.2f}"
            yield f"{kind}({UNITS})", ops, quantize or "float32", *cells


def main(arguments=None):
    options = page.parser(__doc__, mnist=True).parse_args(arguments)
    data = digits.load(options.data_dir)
    about = (
        f"{machine.description()}. {len(data[1]):,} digits, {EPOCHS} epochs, seed {SEED}; "
        f"{len(data[3]):,} test digits."
    )
    columns = ("network", "form", "quantize", "file, kB", "test accuracy", "points above Keras'")
    rows = (row for kind in KINDS for row in measure(kind, data))
    page.publish("litert_accuracy", options, about, markdown.lines(columns, rows, text=3))


if __name__ == "__main__":
    main()
