"""The integer kernels beside float ones and LiteRT's own of 8 bits: size, latency.

All compute the same layer: int8 inputs and weights and an int16 state, or the numbers that those
stand for in float32. Of its states all or 27 %, as in a trained network, are not zero. One process,
one thread, in turn, so that a busy machine is as busy for each. What cannot be run says why.

    python -m benchmarks.integer_latency
    python -m benchmarks.integer_latency --seconds 20 --save
"""

import functools

import keras
import numpy as np

import addrnn.lite
import keras_addrnn as ka
from addrnn import IntegerAddGRU, IntegerModel, Quantization, _core, executor
from benchmarks._harness import machine, markdown, page
from benchmarks._tasks.litert import SHAPES, File, compare

DENSITIES = (1.0, 0.27)

# Powers of two, of the inputs, both kernels' weights and the state.
INPUT, WEIGHT, STATE = 2.0**-5, 2.0**-10, 2.0**-12
ACCUMULATOR = WEIGHT * STATE


class Problem:
    """A layer in integers, and the same numbers as float32."""

    def __init__(self, shape, density):
        batch, time, features, units = shape
        generator = np.random.default_rng(0)

        def integers(deviation, *sizes):
            return np.clip(np.rint(generator.normal(0, deviation, sizes)), -127, 127).astype(int)

        self.units = units
        self.inputs = integers(20, batch, time, features).astype(np.int8)
        kernel, recurrent_kernel = integers(16, features, 2 * units), integers(4, units, 2 * units)
        # The update gate replaces the state at every step; a candidate is positive or is not.
        alive = generator.random(units) < density
        bias = np.concatenate([np.full(units, -6.0), np.where(alive, 1.0, -7.0)])
        self.weights = [kernel * WEIGHT, recurrent_kernel * WEIGHT, bias]
        full = np.full(2 * units, 1)
        layer = IntegerAddGRU(
            kernel=kernel,
            recurrent_kernel=recurrent_kernel,
            bias=(bias / ACCUMULATOR).astype(int),
            kernel_shift=full * int(np.log2(INPUT / STATE)),
            recurrent_shift=full * 0,
            shift=full * int(np.log2(STATE / ACCUMULATOR)),
            state_max=2**15 - 1,
            candidate_min=0,
            candidate_max=2**15 - 1,
            input_bits=8,
            weight_bits=8,
            state_bits=16,
            state_scale=STATE,
        )
        self.model = IntegerModel(Quantization(8, INPUT), [layer])
        states, _ = executor.run_layer(layer, self.inputs)
        self.density = np.count_nonzero(states) / states.size
        self.expected = self.model.run(self.inputs, executor="reference") * STATE
        self.floats = (self.inputs * INPUT).astype("float32")

    def keras_model(self, make):
        """The layer in Keras; GRU and LSTM have weights of their own."""
        model = keras.Sequential([keras.Input(self.inputs.shape[1:]), make(self.units)])
        if make is add_gru:
            model.set_weights(self.weights)
        return model


def add_gru(units):
    return ka.AddGRU(units, state_max=(2**15 - 1) * STATE, scale_inputs=False)


class Core:
    """The integer kernels without LiteRT."""

    def __init__(self, problem):
        (layer,) = problem.model.layers
        prepared = executor._prepare_layer(layer)
        size = layer.kernel.size + layer.recurrent_kernel.size + 7 * layer.bias.size
        self.kilobytes = size / 1000
        self.run = lambda: prepared.run(problem.inputs)
        self.error = np.abs(self.run()[1] * STATE - problem.expected).max()


def converted(problem, make, **settings):
    """The layer as Keras makes it, as a file."""
    content = ka.lite.convert(problem.keras_model(make), **settings)
    return File(content, [problem.floats], problem.expected if make is add_gru else None)


def rows(problem):
    """What is compared, by name: functions that make it ready."""

    def int8(layer):
        make = functools.partial(layer, unroll=True)
        data = [problem.floats]
        return converted(problem, make, quantize="int8", representative_data=data)

    return {
        "AddGRU, integers, LiteRT": lambda: File(
            addrnn.lite.convert_integer(problem.model), [problem.inputs], problem.expected, STATE
        ),
        "AddGRU, integers, core": lambda: Core(problem),
        "AddGRU, float, fused": lambda: converted(problem, add_gru, ops="fused"),
        "AddGRU, float, builtin": lambda: converted(problem, add_gru),
        "AddGRU, builtin, dynamic range": lambda: converted(problem, add_gru, quantize="dynamic"),
        "GRU, builtin int8, unrolled": lambda: int8(keras.layers.GRU),
        "LSTM, builtin int8, unrolled": lambda: int8(keras.layers.LSTM),
    }


def measure(shape, density, seconds):
    """The rows of the table for one shape and density."""
    problem = Problem(shape, density)
    ready, times, reasons = compare(rows(problem), seconds)
    for name in rows(problem):
        start = str(shape), f"{100 * problem.density:.0f} %", name
        if name in reasons:
            yield *start, "", f"NOT RUN: {reasons[name].splitlines()[0]}", "", ""
            continue
        each = ready[name]
        yield (
            *start,
            f"{each.kilobytes:,.0f}",
            f"{1000 * times[name]:,.0f}",
            f"{times[name] / times['AddGRU, integers, LiteRT']:.1f}",
            "" if each.error is None else f"{each.error:.0e}",
        )


def main(arguments=None):
    options = page.parser(__doc__, seconds=5).parse_args(arguments)
    _core.set_num_threads(1)
    about = f"{machine.description(('LiteRT', 'ai-edge-litert'))}, 1 thread."
    cases = ((shape, density) for shape in SHAPES for density in DENSITIES)
    found = (row for case in cases for row in measure(*case, options.seconds))
    columns = ("(B, T, D, H)", "states not zero", "layer", "file, kB", "median, µs")
    table = markdown.lines((*columns, "/ integers", "error"), found, text=3)
    page.publish("integer_latency", options, about, table)


if __name__ == "__main__":
    main()
