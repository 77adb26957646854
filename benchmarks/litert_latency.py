"""AddGRU and MinAddGRU in LiteRT, in both forms, beside GRU and LSTM: size, latency, error; a step.

Each layer returns its last output, on one thread: float32; weights in float16; weights in int8
("dynamic", where the arithmetic is up to LiteRT); all in int8, for which loops are unrolled. All
forms are in one process and take turns, so that a busy machine is as busy for each. Weights are
those that the layers start with; the error is that against Keras' own operations. What cannot be
converted or run is shown with the reason.

    python -m benchmarks.litert_latency
    python -m benchmarks.litert_latency --seconds 20 --save
"""

import functools

import keras
import numpy as np

import keras_addrnn as ka
from benchmarks._harness import machine, markdown, page
from benchmarks._tasks.litert import SHAPES, File, compare

STEP = (28, 128)  # inputs, units
LAYERS = {
    "AddGRU, fused": (ka.AddGRU, "fused"),
    "AddGRU, builtin": (ka.AddGRU, "builtin"),
    "MinAddGRU, fused": (ka.MinAddGRU, "fused"),
    "MinAddGRU, builtin": (ka.MinAddGRU, "builtin"),
    "MinAddGRU, kernel_size 1, builtin": (
        functools.partial(ka.MinAddGRU, kernel_size=1),
        "builtin",
    ),
    "GRU": (keras.layers.GRU, "builtin"),
    "LSTM": (keras.layers.LSTM, "builtin"),
}
QUANTIZE = {"float32": None, "float16": "float16", "dynamic": "dynamic", "int8": "int8"}
SAMPLES = 32  # sequences from which int8 takes its ranges
EMPTY = "AddGRU(1), fused"  # an operator that has next to nothing to do


def convert(model, ops, inputs, quantize=None):
    """The model as a `File`."""
    samples = None
    if quantize == "int8":
        rng = np.random.default_rng(1)
        samples = [rng.normal(size=(SAMPLES, *x.shape[1:])).astype("float32") for x in inputs]
    options = {"batch_size": len(inputs[0]), "quantize": quantize, "representative_data": samples}
    content = ka.lite.convert(model, ops=ops, **options)
    for layer in model.layers:
        if isinstance(layer, (ka.AddGRU, ka.MinAddGRU)):
            layer.implementation = "composed"  # which does not share its arithmetic
    expected = model(inputs if len(inputs) > 1 else inputs[0])
    expected = keras.ops.convert_to_numpy(keras.tree.flatten(expected)[0])
    return File(content, inputs, expected)


def sequence_file(name, weights, x, units):
    """A layer and its inputs."""
    cls, ops = LAYERS[name]
    model = keras.Sequential([keras.Input(x.shape[1:]), cls(units, name="layer")])
    return convert(model, ops, [x], QUANTIZE[weights])


def measure(shape, seconds):
    """The rows of the table for one shape, and the reasons for those that are not measured."""
    x = np.random.default_rng(0).normal(size=shape[:3]).astype("float32")
    each = [(name, weights) for name in LAYERS for weights in QUANTIZE]
    makers = {key: functools.partial(sequence_file, *key, x, shape[3]) for key in each}
    converted, times, reasons = compare(makers, seconds)

    def cell(key):
        if key not in converted:
            return "no"
        c = converted[key]
        return f"{1000 * times[key]:,.0f} µs, {c.kilobytes:,.0f} kB, {c.error:.0e}"

    def ratio(name):
        pair = (name, "float32"), ("AddGRU, fused", "float32")
        return f"{times[pair[0]] / times[pair[1]]:.1f}" if times.keys() >= set(pair) else "-"

    rows = [
        (str(shape), name, ratio(name), *(cell((name, weights)) for weights in QUANTIZE))
        for name in LAYERS
    ]
    return rows, [f"{shape}, {', '.join(key)}: {reason}" for key, reason in reasons.items()]


def one_step(layer_class, features, units):
    """A model that takes one step and the states, and gives the next states."""
    if layer_class not in (keras.layers.GRU, keras.layers.LSTM):
        layers = [keras.Input((None, features)), layer_class(units)]
        return ka.lite.streaming_model(keras.Sequential(layers))
    layer = layer_class(units, return_state=True, unroll=True)  # no loop around a single step
    x = keras.Input((1, features))
    states = [keras.Input((units,)) for _ in range(2 if layer_class is keras.layers.LSTM else 1)]
    _, *next_states = layer(x, initial_state=states)
    return keras.Model([x, *states], next_states)


def step_file(layer_class, ops, features, units):
    model = one_step(layer_class, features, units)
    rng = np.random.default_rng(0)
    inputs = [rng.random((1, *tensor.shape[1:]), "float32") for tensor in model.inputs]
    return convert(model, ops, inputs)


def measure_step(seconds):
    """The rows of the table of one step on a stream, as `measure`."""
    kinds = {name: (*kind, *STEP) for name, kind in LAYERS.items()}
    kinds[EMPTY] = (ka.AddGRU, "fused", 1, 1)
    makers = {name: functools.partial(step_file, *kind) for name, kind in kinds.items()}
    converted, times, reasons = compare(makers, seconds)
    rows = []
    for name in kinds:
        cells = ("-",) * 4
        if name in converted:
            cells = (
                f"{converted[name].kilobytes:,.0f}",
                f"{1000 * times[name]:.1f}",
                f"{times[name] / times[EMPTY]:.1f}" if EMPTY in times else "-",
                f"{converted[name].error:.0e}",
            )
        rows.append((name, *cells))
    return rows, [f"one step, {name}: {reason}" for name, reason in reasons.items()]


def lines(seconds):
    """Both tables, and why cells are missing."""
    reasons = []

    def rows(measured):
        found, why_not = measured
        reasons.extend(why_not)
        yield from found

    yield from (
        "A call's median time, the file's size, the greatest error / the greatest value:",
        "",
    )
    columns = ("(B, T, D, H)", "layer", "float32 / AddGRU fused", *QUANTIZE)
    each = (row for shape in SHAPES for row in rows(measure(shape, seconds)))
    yield from markdown.lines(columns, each, text=2)
    about = f"One step of a stream, (1, 1, {STEP[0]}, {STEP[1]}), float32, states in and out:"
    yield from ("", about, "")
    columns = ("layer", "file, kB", "median, µs", "/ an operator with one unit", "max error / max")
    yield from markdown.lines(columns, rows(measure_step(seconds)), text=1)
    if reasons:
        yield from ("", "Not there:", "", *(f"- {reason}" for reason in reasons))


def main(arguments=None):
    options = page.parser(__doc__, seconds=5).parse_args(arguments)
    about = f"{machine.description(('LiteRT', 'ai-edge-litert'))}, 1 thread."
    page.publish("litert_latency", options, about, lines(options.seconds))


if __name__ == "__main__":
    main()
