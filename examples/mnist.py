"""MNIST digits read row by row, 28 steps of 28: AddGRU beside Keras' GRU and LSTM, then LiteRT.

Trains the three networks, prints a table, draws their learning curves, and takes the AddGRU model
to a phone's format and back: saved, loaded, converted, run, compared with Keras' own answers.

    python examples/mnist.py             # a few minutes on two cores
    python examples/mnist.py --full      # all 60,000 digits, 50 epochs as in arXiv 2308.05629
"""

import os
import pathlib

# Before TensorFlow is first imported: it reads them then.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import mnist_data
from flags import Parser, integer

OUTPUT = pathlib.Path(os.path.relpath(pathlib.Path(__file__).parent / "output" / "mnist"))
EPOCHS, EPOCHS_FULL = 5, 50


def parse(arguments=None):
    parser = Parser(__doc__)
    add = parser.add_argument
    add(
        "--epochs",
        type=integer(1),
        metavar="N",
        help=f"times to go through the digits ({EPOCHS}; {EPOCHS_FULL} with --full)",
    )
    add(
        "--units",
        type=integer(1),
        default=128,
        metavar="N",
        help="units of each layer (128)",
    )
    add(
        "--seed",
        type=integer(0, 2**32 - 1),
        default=0,
        metavar="N",
        help="random seed (0)",
    )
    add(
        "--data-dir",
        type=pathlib.Path,
        metavar="DIR",
        help="the four IDX files of MNIST, gzipped or not (tensorflow-datasets if it has MNIST or "
        "can fetch it, else the digits kept in this repository)",
    )
    add("--full", action="store_true", help="all 60,000 digits instead of 10,000")
    add(
        "--output",
        type=pathlib.Path,
        default=OUTPUT,
        metavar="DIR",
        help="where to write models and curves (examples/output/mnist)",
    )
    flags = parser.parse_args(arguments)
    if flags.epochs is None:
        flags.epochs = EPOCHS_FULL if flags.full else EPOCHS
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        parser.error(
            f"this example ends in LiteRT and needs KERAS_BACKEND=tensorflow, got "
            f"'{os.environ['KERAS_BACKEND']}'"
        )
    try:
        digits = mnist_data.load(flags.data_dir, flags.full)
    except mnist_data.DataError as error:
        parser.error(error)
    try:
        flags.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"argument --output: cannot use '{flags.output}': {error.strerror}")
    if not os.access(flags.output, os.W_OK):
        parser.error(f"argument --output: cannot write in '{flags.output}'")
    return flags, digits


def main(arguments=None):
    flags, digits = parse(arguments)
    # Not at the top: they take seconds to import, and wrong flags are told at once.
    import mnist_litert
    import mnist_report
    import mnist_training

    import keras_addrnn as ka

    why_not = ka.info()["why_not"]
    print(
        "MNIST read row by row, 28 steps of 28: AddGRU beside Keras' GRU and LSTM\n\n"
        f"digits     {len(digits.y_train):,} to train on, {len(digits.y_test):,} to test\n"
        f"           from {digits.source}\n"
        f"training   {flags.epochs} epochs in batches of {mnist_training.BATCH_SIZE}, "
        f"Adam(0.001), seed {flags.seed}\n"
        f"fused op   {'in use' if why_not is None else f'not in use: {why_not}'}"
    )
    runs = []
    for kind in mnist_training.LAYERS:
        print(f"\n{kind}({flags.units})", flush=True)
        runs.append(
            mnist_training.train(
                kind, digits, units=flags.units, epochs=flags.epochs, seed=flags.seed
            )
        )
    add_gru, gru, _ = runs
    curves = flags.output / "learning_curves.png"
    mnist_report.save_curves(runs, curves, title="MNIST read row by row")
    print("\n" + mnist_report.table(runs, fused=() if why_not else (add_gru.name,)) + "\n")
    ratio = gru.seconds_per_epoch / add_gru.seconds_per_epoch
    print(f"speed      {add_gru.name} trains {ratio:.1f} times as fast as {gru.name} here")
    print(f"curves     {curves}")

    images = mnist_training.scaled(digits.x_test)
    answers = add_gru.model.predict(images, verbose=0)
    keras_file, litert_file = flags.output / "addgru.keras", flags.output / "addgru.tflite"
    loaded = mnist_litert.save_and_load(add_gru.model, keras_file)
    difference = abs(loaded.predict(images, verbose=0) - answers).max()
    print(f"saved      {keras_file}; loaded back, its answers differ by {difference:.2g} at most")

    content = ka.lite.convert(loaded, litert_file)
    print(f"converted  {litert_file}, {len(content) / 1000:.0f} kB, builtin operators only")

    agreement = mnist_litert.compare(content, images, digits.y_test, answers)
    print(
        f"in LiteRT  {100 * agreement.accuracy:.2f} % of the test digits right, "
        f"{1e6 * agreement.seconds_per_digit:.0f} µs a digit on one thread\n"
        f"           the same class as Keras for {100 * agreement.same_class:.2f} %, "
        f"probabilities differ by {agreement.max_difference:.2g} at most"
    )


if __name__ == "__main__":
    main()
