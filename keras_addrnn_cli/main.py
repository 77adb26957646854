"""The command `keras-addrnn`."""

import argparse
import re
from collections.abc import Sequence

import addrnn
from keras_addrnn_cli import files, quiet

# The options that become arguments of functions, by the names of those.
_OPTIONS = {
    "batch_size": "--batch",
    "input_bits": "--input-bits",
    "ops": "--ops",
    "quantize": "--quantize",
    "representative_data": "--data",
    "rescale": "--rescale",
    "state_bits": "--state-bits",
    "weight_bits": "--weight-bits",
}
_NEED_SAMPLES = ("int8", "int16x8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="keras-addrnn", description="Addition-gated recurrent layers for Keras."
    )
    parser.add_argument("--version", action="version", version=addrnn.__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    info = commands.add_parser("info", help="which implementation is used on this machine, and why")
    info.set_defaults(run=_info)

    convert = commands.add_parser("convert", help="a saved model to a LiteRT file")
    convert.add_argument(
        "model", help="a file that model.save wrote, *.keras, or an integer model, *.safetensors"
    )
    convert.add_argument("output", help="the file to write, *.tflite")
    convert.add_argument("--ops", choices=("builtin", "fused"), help="of a Keras model (builtin)")
    convert.add_argument(
        "--quantize",
        choices=("none", "float16", "dynamic", "int8", "int16x8"),
        help="smaller weights (none); int8 and int16x8 compute in integers too, and need --data",
    )
    convert.add_argument(
        "--batch",
        type=_batch,
        default=1,
        metavar="N",
        help='its batch size (1); "none" leaves it open, where the file has no loop',
    )
    convert.add_argument(
        "--data",
        metavar="NPZ",
        help="samples of the inputs, that np.savez wrote: arrays named as the inputs; for one "
        "input x, or a single array, will do too",
    )
    convert.set_defaults(run=_convert)

    quantize = commands.add_parser("quantize", help="a saved .keras model to an integer model")
    quantize.add_argument("model", help="a file that model.save wrote, *.keras")
    quantize.add_argument("output", help="the file to write, *.safetensors")
    quantize.add_argument(
        "--data",
        metavar="NPZ",
        help="representative sequences [N, T, D], that np.savez wrote, named as the input, or x, "
        "or a single array; and, to compare accuracies, labels y. A quantization-aware model can "
        "do without",
    )
    for name, default in (("weight", 8), ("state", 16), ("input", 8)):
        quantize.add_argument(
            f"--{name}-bits", type=_positive, metavar="N", help=f"bits of the {name}s ({default})"
        )
    quantize.add_argument(
        "--rescale", choices=("shift", "multiplier"), help="how sums come to the scale (shift)"
    )
    quantize.set_defaults(run=_quantize)

    bench = commands.add_parser(
        "bench",
        help="AddGRU's speed beside GRU's and LSTM's, here",
        description="Times AddGRU, GRU and LSTM in TensorFlow, forward and in training, with as "
        "many threads as TensorFlow uses: all, unless it is told otherwise.",
    )
    for name, default, what in (
        ("batch", 64, "sequences in a batch"),
        ("steps", 28, "steps of a sequence"),
        ("features", 28, "features of a step"),
        ("units", 128, "units of each layer"),
    ):
        bench.add_argument(
            f"--{name}", type=_positive, default=default, metavar="N", help=f"{what} ({default})"
        )
    bench.add_argument(
        "--seconds", type=_positive, default=10, metavar="S", help="how long, in all, about (10)"
    )
    bench.set_defaults(run=_bench)

    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        commands.choices[options.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        options.run(options)
    except OSError as error:
        why = f"{error.filename}: {error.strerror}" if error.filename else error
        parser.exit(1, f"{parser.prog}: {why}\n")
    except (ImportError, RuntimeError, TypeError, ValueError) as error:  # what was given is wrong
        parser.exit(1, f"{parser.prog}: {_in_options(error)}\n")
    except KeyboardInterrupt:
        parser.exit(130, f"{parser.prog}: interrupted\n")
    return 0


def _in_options(error: Exception) -> str:
    """The message of an error, about options in place of a function's arguments."""
    argument, message = getattr(error, "argument", None), str(error)
    if argument in _OPTIONS:
        message = message.replace(f"Argument `{argument}`", _OPTIONS[argument], 1)
    # As in `ops="fused"`, not in a file's name.
    values = re.compile(rf'(?<![\w./-])({"|".join(_OPTIONS)})="?(\w+)"?(?![\w/-])')
    return values.sub(
        lambda found: f"{_OPTIONS[found[1]]} {found[2].replace('None', 'none')}", message
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, received {text}")
    return int(text)


def _batch(text: str) -> int | None:
    return None if text == "none" else _positive(text)


def _info(options: argparse.Namespace) -> None:
    quiet.import_keras()
    import keras_addrnn

    found = keras_addrnn.info()
    width = max(map(len, found))
    for name, value in found.items():
        if isinstance(value, list):
            value = ", ".join(value)
        print(f"{name:{width}}  {'-' if value is None else value}")


def _convert(options: argparse.Namespace) -> None:
    output = files.checked_output(options.output, ".tflite", options.model, options.data)
    quantize = None if options.quantize == "none" else options.quantize
    if options.model.endswith(".safetensors"):
        for name, value in (("ops", options.ops), ("quantize", quantize), ("data", options.data)):
            if value is not None:
                raise ValueError(
                    f"--{name} is for Keras models, and '{options.model}' is an integer model. "
                    "Leave it out."
                )
        model = addrnn.load(options.model)
        from addrnn import lite

        content = lite.convert_integer(model, output, batch_size=options.batch)
        print(f"{output}: {len(content) / 1000:.0f} kB, integer operators")
        return
    ops = options.ops or "builtin"
    if ops == "fused" and quantize in _NEED_SAMPLES:
        raise ValueError(
            f"--quantize {quantize} is of no use with --ops fused: the operator computes in "
            "float32. Use --quantize dynamic, for int8 weights, or --ops builtin."
        )
    if options.data is None and quantize in _NEED_SAMPLES:
        raise ValueError(
            f"--quantize {quantize} needs samples of the inputs, for the ranges of everything "
            "that is computed. Give some hundred as --data."
        )
    if options.data is not None and quantize not in _NEED_SAMPLES:
        raise ValueError(
            "--data is for --quantize int8 or int16x8, which need the ranges of the numbers. Use "
            "one of them, or leave --data out."
        )
    arrays = None if options.data is None else files.read_arrays(options.data)
    model = files.read_model(options.model)
    from keras_addrnn import lite

    content = lite.convert(
        model,
        output,
        ops=ops,
        quantize=quantize,
        batch_size=options.batch,
        representative_data=arrays and files.samples(arrays, model, options.data),
    )
    smaller = "" if quantize is None else f", {quantize}"
    print(f"{output}: {len(content) / 1000:.0f} kB, {ops} operators{smaller}")


def _quantize(options: argparse.Namespace) -> None:
    from keras_addrnn_cli import quantize_report

    output = files.checked_output(options.output, ".safetensors", options.model, options.data)
    arrays = {} if options.data is None else files.read_arrays(options.data)
    model = files.read_model(options.model)
    x = files.samples(arrays, model, options.data) if arrays else None
    settings = {
        name: value
        for name in ("weight_bits", "state_bits", "input_bits", "rescale")
        if (value := getattr(options, name)) is not None
    }
    labels = arrays.get("y")
    labels = None if labels is x else labels
    print("\n".join(quantize_report.quantize_to_file(model, output, x, labels, **settings)))


def _bench(options: argparse.Namespace) -> None:
    quiet.import_keras()
    import keras_addrnn
    from keras_addrnn_cli import bench

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
