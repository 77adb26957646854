"""MNIST digits read row by row: AddGRU and MinAddGRU beside Keras' GRU and LSTM, then LiteRT.

Trains the four networks, prints a table, draws their learning curves, and takes the models to a
phone's format: saved, loaded, converted, run digit by digit, and compared with Keras' own answers.
AddGRU's comes in two forms, of builtin operators and with our own; it and MinAddGRU's run in
integers alone too.

    python examples/mnist_demo                     # a minute or two on two cores
    python examples/mnist_demo --data-dir DIR --epochs 50    # all 60,000 digits, as long as in
                                                             # arXiv 2308.05629: about an hour
"""

import os
import pathlib
import sys

# Before TensorFlow is first imported: it reads them then.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if not __package__:  # run as a folder, which Python put there, and not its neighbors
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from common import command_line, digits  # noqa: E402


def parse(arguments=None):
    parser = command_line.Parser(__doc__)
    add, integer = parser.add_argument, command_line.integer
    add("--epochs", type=integer(1), default=5, metavar="N", help="of training (5)")
    add("--units", type=integer(1), default=128, metavar="N", help="of each layer (128)")
    add("--seed", type=integer(0, 2**32 - 1), default=0, metavar="N", help="random seed (0)")
    add(
        "--data-dir",
        type=pathlib.Path,
        metavar="DIR",
        help="the four IDX files of MNIST, gzipped or not (the 12,000 digits of this repository)",
    )
    parser.add_output("mnist", "models and curves")
    flags = parser.parse_args(arguments)
    parser.require_tensorflow()
    try:
        data = digits.load(flags.data_dir)
    except digits.DataError as error:
        parser.fail(error)
    return flags, data


def main(arguments=None):
    flags, data = parse(arguments)
    # Not at the top: they take seconds to import, and wrong flags are told at once.
    import keras
    from common import litert
    from common.epoch_times import per_epoch

    import keras_addrnn as ka
    from mnist_demo import phone, report, training

    why_not = ka.info()["why_not"]
    print(
        "MNIST read row by row, 28 steps of 28: AddGRU and MinAddGRU beside Keras' GRU and LSTM\n\n"
        f"digits     {len(data.y_train):,} to train on, {len(data.y_test):,} to test\n"
        f"           from {data.source}\n"
        f"training   {command_line.epochs(flags.epochs)} in batches of "
        f"{training.BATCH_SIZE}, Adam(0.001), seed {flags.seed}\n"
        "           Keras' val_loss and val_accuracy are those of the test digits\n"
        f"fused op   {'in use' if why_not is None else f'not in use: {why_not}'}"
    )

    runs = {}
    for kind in training.LAYERS:
        name = f"{kind}({flags.units})"
        print(f"\n{name}", flush=True)
        runs[name] = training.train(
            kind, data, units=flags.units, epochs=flags.epochs, seed=flags.seed
        )
        runs[name].model.save(flags.output / f"{kind.lower()}.keras")
    curves = flags.output / "learning_curves.png"
    report.save_curves(runs, curves)
    add_gru, min_add_gru, gru, _ = runs
    seconds = {name: per_epoch(run.history["seconds"]) for name, run in runs.items()}
    times = {name: seconds[gru] / seconds[name] for name in (add_gru, min_add_gru)}
    print(
        f"\n{report.networks(runs, fused_op=why_not is None)}\n\n"
        f"speed      {add_gru} trains {times[add_gru]:.1f} times as fast as {gru} here, "
        f"{min_add_gru} {times[min_add_gru]:.1f} times\ncurves     {curves}"
    )

    images = training.sequences(data.x_test)
    expected = {name: run.model.predict(images, verbose=0) for name, run in runs.items()}
    loaded = {}
    for name in (add_gru, min_add_gru):
        saved = flags.output / f"{runs[name].model.name}.keras"
        loaded[name] = keras.models.load_model(saved)
        difference = abs(loaded[name].predict(images, verbose=0) - expected[name]).max()
        print(f"saved      {saved}; loaded back, its answers differ by {difference:.2g} at most")

    models = {name: run.model for name, run in runs.items()} | loaded
    files = phone.convert(models, flags.output)
    functions = {
        name: litert.function(file) for name, file in files.items() if isinstance(file, bytes)
    }
    keras_answers = {name: expected[name.partition(",")[0]] for name in functions}
    answers = phone.compare(functions, images, data.y_test, keras_answers)
    print(
        f"converted  {len(answers)} files in {flags.output}, run in LiteRT on one digit after the "
        f"other, on one thread, in turn:\n\n{report.litert(files, answers)}"
    )

    paths = {name: flags.output / f"{it.name}_integer.safetensors" for name, it in loaded.items()}
    sequences = training.sequences(data.x_train)
    functions = {name: phone.integers(loaded[name], sequences, paths[name]) for name in loaded}
    answers = phone.compare(functions, images, data.y_test, expected)
    for name, path in paths.items():
        print(
            f"\nintegers   {path}: int8 weights, int16 state\n"
            f"{report.integers(answers[name], path.stat().st_size, loaded[name])}"
        )


if __name__ == "__main__":
    command_line.run(main)
