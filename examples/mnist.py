"""MNIST digits read row by row: AddGRU beside Keras' GRU and LSTM, then LiteRT.

Trains the three networks, prints a table, draws their learning curves, and takes the models to a
phone's format: saved, loaded, converted, run digit by digit, and compared with Keras' own answers.
AddGRU's comes in two forms, of builtin operators and with our own; and in integers alone.

    python examples/mnist.py             # a minute or two on two cores
    python examples/mnist.py --full      # all 60,000 digits, 50 epochs as in arXiv 2308.05629:
                                         # about an hour
    python examples/mnist.py --order pixels    # 784 steps of one pixel: a test of memory, and slow,
                                               # about half an hour
    python examples/mnist.py --also multiplying "AddGRU, shift 0.5"    # two more networks
"""

import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # before Keras is first imported

import command_line
import mnist_data

from keras_addrnn_cli import quiet

OUTPUT = pathlib.Path(os.path.relpath(pathlib.Path(__file__).parent / "output" / "mnist"))
EPOCHS, EPOCHS_FULL = 5, 50
# Trained only when asked for: the gate that multiplies, and other candidates and shifts.
OTHER_LAYERS = ("multiplying", "AddGRU, hard_tanh", "AddGRU, shift 0.5")
ORDERS = {
    "rows": "row by row, 28 steps of 28",
    "columns": "column by column, 28 steps of 28",
    "pixels": "pixel by pixel, 784 steps of 1",
}


def parse(arguments=None):
    parser = command_line.Parser(__doc__)
    add = parser.add_argument
    add(
        "--epochs",
        type=command_line.integer(1),
        metavar="N",
        help=f"times to go through the digits ({EPOCHS}; {EPOCHS_FULL} with --full)",
    )
    add("--order", choices=ORDERS, default="rows", help="how a digit becomes a sequence (rows)")
    add(
        "--also",
        choices=OTHER_LAYERS,
        nargs="+",
        default=(),
        metavar="LAYER",
        help="train these too: " + ", ".join(f"'{name}'" for name in OTHER_LAYERS),
    )
    add(
        "--units",
        type=command_line.integer(1),
        default=128,
        metavar="N",
        help="units of each layer (128)",
    )
    add(
        "--seed",
        type=command_line.integer(0, 2**32 - 1),
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
    parser.require_tensorflow()
    try:
        digits = mnist_data.load(flags.data_dir, flags.full)
    except mnist_data.DataError as error:
        parser.fail(error)
    parser.make_output(flags.output)
    return flags, digits


def main(arguments=None):
    flags, digits = parse(arguments)
    # Not at the top: they take seconds to import, and wrong flags are told at once.
    keras = quiet.import_keras()
    import mnist_integer
    import mnist_litert
    import mnist_report
    import mnist_training

    import keras_addrnn as ka

    why_not = ka.info()["why_not"]
    print(
        f"MNIST read {ORDERS[flags.order]}: AddGRU beside Keras' GRU and LSTM\n\n"
        f"digits     {len(digits.y_train):,} to train on, {len(digits.y_test):,} to test\n"
        f"           from {digits.source}\n"
        f"training   {command_line.epochs(flags.epochs)} in batches of "
        f"{mnist_training.BATCH_SIZE}, Adam(0.001), seed {flags.seed}\n"
        "           Keras' val_loss and val_accuracy are those of the test digits\n"
        f"fused op   {'in use' if why_not is None else f'not in use: {why_not}'}"
    )
    runs, saved = [], []
    for kind in (*mnist_training.COMPARED, *dict.fromkeys(flags.also)):
        print(f"\n{kind}({flags.units})", flush=True)
        run = mnist_training.train(
            kind,
            digits,
            order=flags.order,
            units=flags.units,
            epochs=flags.epochs,
            seed=flags.seed,
        )
        runs.append(run)
        saved.append(mnist_litert.save(run.model, flags.output))
    compared = runs[: len(mnist_training.COMPARED)]
    add_gru, gru, _ = compared
    curves = flags.output / "learning_curves.png"
    mnist_report.save_curves(runs, curves, title=f"MNIST read {ORDERS[flags.order]}")
    print("\n" + mnist_report.table(runs, fused_op=why_not is None) + "\n")
    ratio = gru.seconds_per_epoch / add_gru.seconds_per_epoch
    print(f"speed      {add_gru.name} trains {ratio:.1f} times as fast as {gru.name} here")
    print(f"curves     {curves}")

    images = mnist_training.sequences(digits.x_test, flags.order)
    answers = add_gru.model.predict(images, verbose=0)
    loaded = keras.models.load_model(saved[0])
    difference = abs(loaded.predict(images, verbose=0) - answers).max()
    print(f"saved      {saved[0]}; loaded back, its answers differ by {difference:.2g} at most")

    models = {run.name: run.model for run in compared} | {add_gru.name: loaded}
    files = mnist_litert.convert(models, flags.output)
    answers = mnist_litert.compare(files, images, digits.y_test)
    print(
        f"converted  {len(answers)} files in {flags.output}, run in LiteRT on one digit after the "
        f"other, on one thread, in turn:\n\n{mnist_report.litert_table(files, answers)}"
    )

    integer_file = flags.output / "addgru_integer.safetensors"
    training_images = mnist_training.sequences(digits.x_train, flags.order)
    integers = mnist_integer.quantize(loaded, training_images, integer_file)
    found = mnist_integer.compare(integers, integer_file, loaded, images, digits.y_test)
    print(f"\nintegers   {integer_file}: int8 weights, int16 state\n{mnist_report.integers(found)}")


if __name__ == "__main__":
    command_line.run(main)
