"""A digit that is recognised while it arrives, row by row: AddGRU on a stream, in LiteRT.

Trains two stacked AddGRU layers to name a handwritten digit after each of its 28 rows, makes a
model of them that takes one row at a time and hands on its states, and writes that as two LiteRT
files: one of builtin operators, one with the AddGru operator. Shows a digit coming in, how early
the network knows it, and how long each row takes; and checks that rows fed one by one give what the
whole digit gives.

    python examples/streaming.py             # half a minute on two cores
    python examples/streaming.py --show 5    # five digits to watch
"""

import os
import pathlib
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # before Keras is first imported

import command_line
import mnist_data

from keras_addrnn_cli import quiet

OUTPUT = pathlib.Path(os.path.relpath(pathlib.Path(__file__).parent / "output" / "streaming"))
FORMS = ("builtin", "fused")
SHADES = " .:-=+*#%@"
SECONDS_PER_ROW = 0.06
TOLERANCE = 1e-4  # of a probability; rounding makes some 1e-6


def parse(arguments=None):
    parser = command_line.Parser(__doc__)
    add, integer = parser.add_argument, command_line.integer
    add("--epochs", type=integer(1), default=6, metavar="N", help="of training (6)")
    add("--units", type=integer(1), default=64, metavar="N", help="of each of the two layers (64)")
    add("--seed", type=integer(0, 2**32 - 1), default=0, metavar="N", help="random seed (0)")
    add(
        "--digits",
        type=integer(1, mnist_data.SUBSET_TEST),
        default=300,
        metavar="N",
        help="test digits to feed and to measure with (300)",
    )
    add("--show", type=integer(0), default=1, metavar="N", help="how many of them to show (1)")
    add(
        "--output",
        type=pathlib.Path,
        default=OUTPUT,
        metavar="DIR",
        help="where to write the two LiteRT files (examples/output/streaming)",
    )
    flags = parser.parse_args(arguments)
    parser.require_tensorflow()
    try:
        digits = mnist_data.from_repository(why="enough for this")
    except mnist_data.DataError as error:
        parser.error(error)
    parser.make_output(flags.output)
    return flags, digits


def train(digits, *, units, epochs, seed):
    """A model that names the digit after each row, and so learns to do it early."""
    import keras
    import numpy as np

    import keras_addrnn as ka

    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((None, 28), name="rows"),
            ka.AddGRU(units, return_sequences=True, name="first"),
            ka.AddGRU(units, return_sequences=True, name="second"),
            keras.layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    labels = np.repeat(digits.y_train[:, np.newaxis], 28, axis=1)
    model.fit(scaled(digits.x_train), labels, batch_size=64, epochs=epochs, verbose=0)
    return model


def scaled(images):
    """Images `uint8 [N, 28, 28]` as `float32` in 0 to 1."""
    return images.astype("float32") / 255


def show(stream, image, label):
    """Feeds a digit slowly, and draws each row with the network's guess beside it."""
    print(f"\na {label}, row by row")
    stream.restart()
    for row in scaled(image):
        answer, _ = stream.feed(row)
        drawn = "".join(SHADES[min(int(10 * pixel), 9)] * 2 for pixel in row)
        bar = "#" * round(20 * answer.max())
        print(f"  |{drawn}|  {answer.argmax()}  {bar:20} {100 * answer.max():3.0f} %", flush=True)
        if sys.stdout.isatty():
            time.sleep(SECONDS_PER_ROW)  # as if it came from a pen


def report(measured, whole, labels):
    """The table of latencies, how early digits are known, and how far the answers are apart."""
    rows = [("one row, µs", "p50", "p90", "p99", "longest")]
    for name, each in measured.items():
        rows.append((name, *(f"{value:.1f}" for value in each.percentiles())))
    print("\n" + command_line.markdown(rows) + "\n")
    answers = measured["fused"].answers
    known = [
        f"{100 * (answers[:, row - 1].argmax(-1) == labels).mean():.0f} % after {row}"
        for row in (7, 14, 21, 28)
    ]
    print(f"early      right about {', '.join(known)} of 28 rows")
    for name, each in measured.items():
        difference = abs(each.answers - whole).max()
        if not difference < TOLERANCE:
            sys.exit(
                f"streaming.py: {name}: rows one by one and the whole digit differ by "
                f"{difference:.2g}"
            )
        print(
            f"check      {name}: rows fed one by one and whole digits in Keras differ by "
            f"{difference:.1g} at most"
        )


def main(arguments=None):
    flags, digits = parse(arguments)
    # Not at the top: they take seconds to import, and wrong flags are told at once.
    quiet.import_keras()
    import streaming_litert

    import keras_addrnn as ka

    print("Handwritten digits that arrive row by row: AddGRU on a stream, in LiteRT\n", flush=True)
    begin = time.perf_counter()
    model = train(digits, units=flags.units, epochs=flags.epochs, seed=flags.seed)
    print(
        f"training   {len(digits.y_train):,} digits, {command_line.epochs(flags.epochs)}, "
        f"{time.perf_counter() - begin:.0f} s; two AddGRU({flags.units}), an answer after each row"
    )
    stream, streams = ka.lite.streaming_model(model), {}
    for ops in FORMS:
        path = flags.output / f"digits_{ops}.tflite"
        try:
            content = ka.lite.convert(stream, path, ops=ops)
            streams[ops] = streaming_litert.Stream(content)
        except (ImportError, RuntimeError, ValueError) as error:  # something is not installed
            sys.exit(f"streaming.py: {ops}: {error}")
        print(
            f"converted  {path}, {len(content) / 1000:.0f} kB: one row and the states, in and out"
        )

    images, labels = digits.x_test[: flags.digits], digits.y_test[: flags.digits]
    for image, label in zip(images[: flags.show], labels, strict=False):
        show(streams["fused"], image, label)

    measured = streaming_litert.measure(streams, scaled(images))
    report(measured, model.predict(scaled(images), verbose=0), labels)


if __name__ == "__main__":
    command_line.run(main)
