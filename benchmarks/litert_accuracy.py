"""What LiteRT's quantized forms cost in accuracy: a network trained on MNIST by rows, in each.

The samples for int8 and int16x8 are digits of the training data. Every form answers all test
digits.

    python -m benchmarks.litert_accuracy --data-dir DIR    # IDX files of MNIST
"""

import pathlib

from benchmarks._harness import machine, page

KINDS = ("AddGRU", "GRU")
QUANTIZE = (None, "float16", "dynamic", "int8", "int16x8")
SAMPLES, BATCH = 500, 100


def accuracy(content, images, labels):
    """The share of the images that a file of a fixed batch answers rightly."""
    import addrnn.lite

    run = addrnn.lite.Interpreter(model_content=content, num_threads=1).get_signature_runner()
    right = 0
    for begin in range(0, len(images), BATCH):
        (answer,) = run(rows=images[begin : begin + BATCH]).values()
        right += (answer.argmax(-1) == labels[begin : begin + BATCH]).sum()
    return float(right / len(labels))


def measure(run, train, test, labels):
    """The rows of the table for one trained network."""
    import keras_addrnn as ka

    for ops in ("builtin", "fused") if run.name.startswith("AddGRU") else ("builtin",):
        for quantize in QUANTIZE:
            integers = quantize in ("int8", "int16x8")
            if ops == "fused" and integers:
                continue  # the operator computes in float32
            samples = train[:SAMPLES] if integers else None
            options = {"quantize": quantize, "representative_data": samples}
            content = ka.lite.convert(run.model, ops=ops, batch_size=BATCH, **options)
            found = 100 * accuracy(content, test, labels)
            difference = found - 100 * run.history["val_accuracy"][-1]
            cells = f"{len(content) / 1000:.0f}", f"{found:.2f} %", f"{difference:+.2f}"
            yield run.name, ops, quantize or "float32", *cells


def main(arguments=None):
    parser = page.parser(__doc__)
    add = parser.add_argument
    add("--data-dir", type=pathlib.Path, help="of IDX files of MNIST; 10,000 digits without it")
    add("--epochs", type=int, default=3)
    add("--units", type=int, default=128)
    add("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    from benchmarks._tasks import digits

    data = digits.load(options.data_dir, full=options.data_dir is not None)
    train, test, labels = digits.sequences(data[0]), digits.sequences(data[2]), data[3]
    sizes = {name: getattr(options, name) for name in ("epochs", "units", "seed")}
    runs = (digits.train(kind, data, **sizes) for kind in KINDS)
    with page.Page("litert_accuracy", options) as out:
        out.put(
            f"{machine.description()}. {len(train):,} digits, {options.epochs} epochs, seed "
            f"{options.seed}; {len(test):,} test digits.",
            "",
        )
        columns = ("network", "form", "quantize", "file, kB", "test accuracy")
        rows = (row for run in runs for row in measure(run, train, test, labels))
        out.table((*columns, "points above Keras'"), rows, text=3)


if __name__ == "__main__":
    main()
