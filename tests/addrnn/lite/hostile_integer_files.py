"""Files of integer operators as nobody should write them; see hostile_files.

    python -m tests.addrnn.lite.hostile_integer_files MODEL.tflite gru|dense edited|drawn|bytes

The model is `tests.addrnn.lite.integer.file_to_edit(kind)`.
"""

import copy
import pathlib
import sys

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.addrnn.lite.hostile_files import (
    File,
    draw,
    dtype,
    execute,
    expect_refusals,
    indices,
    options,
    packed,
    run_drawn,
    shape,
    with_bytes,
)

SHIFTS = ("kernel_shift", "recurrent_shift", "shift")
CONSTANTS = ("kernel", "recurrent_kernel", "bias", *SHIFTS, "multiplier")


class GruFile(File):
    inputs = ("inputs", *CONSTANTS, "initial_state", "mask")
    outputs = ("outputs", "final_state")


class DenseFile(File):
    inputs = ("inputs", "kernel", "bias")
    outputs = ("outputs",)


def without(name):
    def edit(file):
        file.node.inputs[file.inputs.index(name)] = -1

    return edit


def computed(name):
    """The tensor is an input of the file, and no constant."""

    def edit(file):
        file.tensor(name).buffer = 0
        file.graph.inputs = [*file.graph.inputs, file.index(name)]

    return edit


def values(name, dtype, value):
    """All elements of a constant are `value`."""

    def edit(file):
        data = file.model.buffers[file.tensor(name).buffer]
        elements = np.full(len(data.data) // np.dtype(dtype).itemsize, value, dtype)
        data.data = np.frombuffer(elements.tobytes(), np.uint8)

    return edit


def cut_off(name):
    def edit(file):
        data = file.model.buffers[file.tensor(name).buffer]
        data.data = data.data[:-1]

    return edit


def common_edits(kind, constants, required):
    for name in required:
        yield f"without {name}", without(name), f"{name} is missing"
    for name in constants:
        yield f"{name} computed", computed(name), f"{name} must be a constant"
        yield f"{name} cut off", cut_off(name), ""
    types = schema.TensorType
    for name in kind.inputs:
        for value in (types.FLOAT32, types.FLOAT64):
            yield f"{name} of type {value}", dtype(name, value), ""
    for name in kind.outputs:
        yield f"{name} of type int8", dtype(name, types.INT8), f"{name} must be of type int"
    inputs, outputs = len(kind.inputs), len(kind.outputs)
    yield "no inputs", indices("inputs", lambda *_: []), f"must have {inputs} inputs"
    yield "fewer inputs", indices("inputs", lambda now, _: now[:-1]), f"must have {inputs} inputs"
    yield "more inputs", indices("inputs", lambda now, _: [*now, 0]), f"must have {inputs} inputs"
    yield "no outputs", indices("outputs", lambda *_: []), f"must have {outputs} outputs"
    yield "more outputs", indices("outputs", lambda now, _: [*now, now[0]]), "outputs, received"
    yield "output is bias", indices("outputs", lambda now, f: [f.index("bias"), *now[1:]]), ""
    yield "output is input", indices("outputs", lambda now, f: [f.index("inputs"), *now[1:]]), ""
    yield "index beyond", indices("inputs", lambda now, _: [now[0], 10_000, *now[2:]]), ""
    foreign = "options are not those that addrnn.lite.convert_integer writes"
    yield "no options", options(lambda _: None), foreign
    yield "empty options", options(lambda _: b""), foreign
    yield "the float operator's", options(lambda o: b"AGRU" + o[4:]), foreign
    for size in range(1, 20):
        yield f"{size} bytes of options", options(lambda o, n=size: o[:n]), "options"
    yield "long options", options(lambda o: o + b"\x00"), "wrong size"
    yield "later version", packed(4, "<I", 2), "version"
    yield "reserved", packed(18, "<H", 1), "impossible flags"
    for bits in (0, 17, 255):
        yield (
            f"{bits} bits",
            packed(8, "<B", bits),
            "input_bits must be from 1 to 16, received",
        )


def gru_edits():
    yield from common_edits(GruFile, CONSTANTS, ("inputs", *CONSTANTS[:-1]))
    for dims in ((1, 1, 4), (2, 10, 1), (10,), (1,)):
        yield f"recurrent_kernel {dims}", shape("recurrent_kernel", dims), "recurrent_kernel must"
    for dims in ((4, 11), (5, 10), (40,), (1, 4, 10)):
        yield f"kernel {dims}", shape("kernel", dims), "kernel must be of shape [4, 10]"
    for name in ("bias", *SHIFTS, "multiplier"):
        for dims in ((9,), (1, 10), (11,)):
            yield f"{name} {dims}", shape(name, dims), f"{name} must be of shape [10]"
    for dims in ((2, 6), (3, 5), (5,)):
        yield f"state {dims}", shape("initial_state", dims), "initial_state must be of shape [2, 5]"
    for dims in ((2, 4), (1, 3), (3,)):
        yield f"mask {dims}", shape("mask", dims), "mask must be of shape [2, 3]"
    for dims in ((2, 4), (2, 3, 4, 1), (4,)):
        yield f"inputs {dims}", shape("inputs", dims), "inputs must be of shape [batch, time, input"
    yield "go_backwards 2", packed(9, "<B", 2), "impossible flags"
    yield "state_shift -1", packed(10, "<h", -1), "state_shift must be from 0 to 32767"
    yield "state_max -1", packed(12, "<h", -1), "state_max must be from 0"
    yield "candidate_min", packed(14, "<h", -32768), "candidate_min must be from"
    yield "candidate_max", packed(16, "<h", 32767), "candidate_max must be from"
    for value in (32, 255):
        yield f"kernel_shift {value}", values("kernel_shift", "u1", value), "kernel_shift must be"
        yield f"recurrent_shift {value}", values("recurrent_shift", "u1", value), "recurrent_shift"
    yield (
        "shift 63",
        values("shift", "u1", 63),
        "shift must be from 0 to 62, received 63",
    )
    for value in (0, -1, -(2**31)):
        yield (
            f"multiplier {value}",
            values("multiplier", "<i4", value),
            "multiplier must be from 1",
        )
    for value in (2**31 - 1, -(2**31)):
        yield f"bias {value}", values("bias", "<i4", value), "more than 32 bits hold"
    yield "great kernel", values("kernel_shift", "u1", 31), "more than 32 bits hold"
    yield "great recurrent kernel", values("recurrent_shift", "u1", 31), "more than 32 bits hold"


def dense_edits():
    yield from common_edits(DenseFile, ("kernel", "bias"), DenseFile.inputs)
    for dims in ((4, 7, 1), (28,)):
        yield f"kernel {dims}", shape("kernel", dims), "kernel must be of shape"
    yield "kernel of other inputs", shape("kernel", (5, 7)), "kernel must be of shape [4, 7]"
    for dims in ((6,), (1, 7)):
        yield f"bias {dims}", shape("bias", dims), "bias must be of shape [7]"
    for dims in ((4,), (1, 2, 3, 4)):
        yield f"inputs {dims}", shape("inputs", dims), "inputs must be of shape [..., input]"
    for value in (2**31 - 1, -(2**31)):
        yield f"bias {value}", values("bias", "<i4", value), "more than 32 bits hold"


def with_edits(base, generator):
    """Some random edits; half of the files have random numbers in a constant too."""
    file = copy.deepcopy(base)
    if generator.integers(2):
        name = str(generator.choice([name for name in file.inputs if name in CONSTANTS]))
        data = file.model.buffers[file.tensor(name).buffer]
        data.data = generator.integers(0, 256, len(data.data), np.uint8)
    for _ in range(generator.integers(1, 4)):
        draw(file, generator)
    return file.content()


def main(path, kind, mode):
    file, edits = {"gru": (GruFile, gru_edits), "dense": (DenseFile, dense_edits)}[kind]
    base = file(pathlib.Path(path).read_bytes())
    execute(base.content())
    if mode == "edited":
        expect_refusals(base, edits())
    else:
        run_drawn(base, {"drawn": with_edits, "bytes": with_bytes}[mode])
    if {"tensorflow", "keras"} & set(sys.modules):
        sys.exit("something has imported TensorFlow or Keras")


if __name__ == "__main__":
    main(*sys.argv[1:])
