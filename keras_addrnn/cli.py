"""The command `keras-addrnn`."""

import argparse
import zipfile

import keras_addrnn


def main(arguments=None):
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="keras-addrnn", description="Addition-gated recurrent layers for Keras."
    )
    parser.add_argument("--version", action="version", version=keras_addrnn.__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    info = commands.add_parser("info", help="which implementation is used on this machine, and why")
    info.set_defaults(run=_info)

    convert = commands.add_parser("convert", help="a saved .keras model to a LiteRT file")
    convert.add_argument("model", help="a file that model.save wrote, *.keras")
    convert.add_argument("output", help="the file to write, *.tflite")
    convert.add_argument("--ops", choices=("builtin", "fused"), default="builtin")
    convert.add_argument(
        "--quantize",
        choices=("none", "float16", "dynamic", "int8", "int16x8"),
        default="none",
        help="smaller weights; int8 and int16x8 compute in integers too, and need --data",
    )
    convert.add_argument("--batch", type=_positive, default=1, metavar="N", help="its batch size")
    convert.add_argument(
        "--data", metavar="NPZ", help="samples of the inputs: one array, or one named as each input"
    )
    convert.set_defaults(run=_convert)

    quantize = commands.add_parser("quantize", help="a saved .keras model to an integer model")
    quantize.add_argument("model", help="a file that model.save wrote, *.keras")
    quantize.add_argument("output", help="the file to write, *.safetensors")
    quantize.add_argument(
        "--data",
        required=True,
        metavar="FILE",
        help="an .npz file with representative sequences x [N, T, D] and, to compare accuracies, "
        "labels y",
    )
    for name, default in (("weight", 8), ("state", 16), ("input", 8)):
        quantize.add_argument(f"--{name}-bits", type=_positive, default=default, metavar="N")
    quantize.add_argument("--rescale", choices=("shift", "multiplier"), default="shift")
    quantize.set_defaults(run=_quantize)

    bench = commands.add_parser("bench", help="AddGRU's speed beside GRU's and LSTM's, here")
    for name, default in (("batch", 64), ("steps", 28), ("features", 28), ("units", 128)):
        bench.add_argument(f"--{name}", type=_positive, default=default, metavar="N")
    bench.add_argument(
        "--seconds", type=_positive, default=10, metavar="S", help="how long, in all"
    )
    bench.set_defaults(run=_bench)

    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (ImportError, OSError, TypeError, ValueError) as error:  # what was given is wrong
        parser.exit(1, f"{parser.prog}: {error}\n")
    return 0


def _positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, received {text}")
    return number


def _info(options):
    found = keras_addrnn.info()
    width = max(map(len, found))
    for name, value in found.items():
        if isinstance(value, list):
            value = ", ".join(value)
        print(f"{name:{width}}  {'-' if value is None else value}")


def _convert(options):
    import keras

    from keras_addrnn import lite

    data = None if options.data is None else _arrays(options.data)
    quantize = None if options.quantize == "none" else options.quantize
    model = keras.saving.load_model(options.model)
    content = lite.convert(
        model,
        options.output,
        ops=options.ops,
        quantize=quantize,
        batch_size=options.batch,
        representative_data=data,
    )
    smaller = "" if quantize is None else f", {quantize}"
    print(f"{options.output}: {len(content) / 1000:.0f} kB, {options.ops} operators{smaller}")


def _arrays(path):
    """The array of an .npz file, or a dict of its arrays if there are more."""
    import numpy as np

    try:
        with np.load(path) as file:
            arrays = dict(file)
    except (ValueError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a file of arrays that np.savez wrote: {error}") from None
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def _quantize(options):
    from keras_addrnn.integer import report

    lines = report.quantize_file(
        options.model,
        options.output,
        options.data,
        weight_bits=options.weight_bits,
        state_bits=options.state_bits,
        input_bits=options.input_bits,
        rescale=options.rescale,
    )
    print("\n".join(lines))


def _bench(options):
    from keras_addrnn import bench

    found = keras_addrnn.info()
    shape = (options.batch, options.steps, options.features, options.units)
    print(
        f"(batch, steps, features, units) = {shape}; "
        + (f"fused op, {found['instruction_set']}" if found["fused"] else "composed")
    )
    measured = bench.compare(*shape, options.seconds)
    print(f"{'median, ms':12}{'forward':>22}{'forward + backward':>22}")
    for name, both in measured.items():
        cells = [
            f"{ms:.2f} ({gru / ms:.1f} x GRU)"
            for ms, gru in zip(both, measured["GRU"], strict=True)
        ]
        print(f"{name:12}{cells[0]:>22}{cells[1]:>22}")
