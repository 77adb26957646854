"""Files of integer operators as nobody should write them; see hostile_files.

    python -m tests.addrnn.lite.hostile_integer_files MODEL.tflite gru|min|dense edited|drawn|bytes

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
MIN_CONSTANTS = ("kernel", "bias", "shift", "multiplier")


class GruFile(File):
    inputs = ("inputs", *CONSTANTS, "initial_state", "mask")
    outputs = ("outputs", "final_state")


class MinFile(File):
    inputs = ("inputs", *MIN_CONSTANTS, "initial_state", "mask", "initial_inputs")
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


def recurrent_edits(kind, constants, vectors):
    """What the recurrent layers have in common. B, T, D, H are 2, 3, 4, 5."""
    yield from common_edits(kind, constants, ("inputs", *constants[:-1]))
    for name in vectors:
        for dims in ((9,), (1, 10), (11,)):
            yield f"{name} {dims}", shape(name, dims), f"{name} must be of shape [10]"
    for dims in ((2, 6), (3, 5), (5,)):
        yield f"state {dims}", shape("initial_state", dims), "initial_state must be of shape [2, 5]"
    for dims in ((2, 4), (1, 3), (3,)):
        yield f"mask {dims}", shape("mask", dims), "mask must be of shape [2, 3]"
    for dims in ((2, 4), (2, 3, 4, 1), (4,)):
        yield f"inputs {dims}", shape("inputs", dims), "inputs must be of shape [batch, time, input"
    yield "go_backwards 2", packed(9, "<B", 2), "impossible flags"
    yield "state_max -1", packed(12, "<h", -1), "state_max must be from 0"
    yield "candidate_max", packed(16, "<h", 32767), "candidate_max must be from"
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


def gru_edits():
    yield from recurrent_edits(GruFile, CONSTANTS, ("bias", *SHIFTS, "multiplier"))
    for dims in ((1, 1, 4), (2, 10, 1), (10,), (1,)):
        yield f"recurrent_kernel {dims}", shape("recurrent_kernel", dims), "recurrent_kernel must"
    for dims in ((4, 11), (5, 10), (40,), (1, 4, 10)):
        yield f"kernel {dims}", shape("kernel", dims), "kernel must be of shape [4, 10]"
    yield "state_shift -1", packed(10, "<h", -1), "state_shift must be from 0 to 32767"
    yield "candidate_min", packed(14, "<h", -32768), "candidate_min must be from"
    for value in (32, 255):
        yield f"kernel_shift {value}", values("kernel_shift", "u1", value), "kernel_shift must be"
        yield f"recurrent_shift {value}", values("recurrent_shift", "u1", value), "recurrent_shift"
    yield "great kernel", values("kernel_shift", "u1", 31), "more than 32 bits hold"
    yield "great recurrent kernel", values("recurrent_shift", "u1", 31), "more than 32 bits hold"


def min_edits():
    """The window reads 3 inputs."""
    yield from recurrent_edits(MinFile, MIN_CONSTANTS, ("bias", "shift", "multiplier"))
    for dims in ((3, 4, 11), (3, 40), (120,), (1, 3, 4, 10)):
        says = "kernel must be of shape [kernel_size, input, 2 * units]"
        yield f"kernel {dims}", shape("kernel", dims), says
    says = "the window must have at least 1 input, received 0"
    yield "kernel (0, 4, 10)", shape("kernel", (0, 4, 10)), says
    yield "kernel (3, 4, 0)", shape("kernel", (3, 4, 0)), "initial_state must be of shape [2, 0]"
    for dims in ((3, 5, 10), (3, 0, 10)):
        yield f"kernel {dims}", shape("kernel", dims), "kernel must be of shape [3, 4, 10]"
    # A window other than that of the inputs before the first step.
    for dims in ((2, 4, 10), (4, 4, 10), (1, 4, 10)):
        yield f"kernel {dims}", shape("kernel", dims), "initial_inputs must be of shape [2, "
    for dims in ((2, 1, 4), (2, 3, 4), (1, 2, 4), (2, 2, 5), (16,), (2, 8)):
        says = "initial_inputs must be of shape [2, 2, 4]"
        yield f"initial_inputs {dims}", shape("initial_inputs", dims), says
    int16 = schema.TensorType.INT16
    yield "inputs of int16", dtype("inputs", int16), "initial_inputs must be of type int16"
    says = "initial_inputs must be of type int8, received int16"
    yield "initial_inputs of int16", dtype("initial_inputs", int16), says
    says = "options are not those that addrnn.lite.convert_integer writes"
    yield "options of AddGruInt", options(lambda o: b"AGRI" + o[4:]), says
    for value in (128, -129):
        says = f"input_zero_point must be from -128 to 127, received {value}"
        yield f"zero point {value}", packed(10, "<h", value), says
    for value in (1, -1):
        yield f"candidate_min {value}", packed(14, "<h", value), "impossible flags"
    yield "candidate_max -1", packed(16, "<h", -1), "candidate_max must be from 0"

    def shift_without_multiplier(file):
        without("multiplier")(file)
        values("shift", "u1", 32)(file)

    yield "shift 32", shift_without_multiplier, "shift must be from 0 to 31, received 32"


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
    file, edits = {
        "gru": (GruFile, gru_edits),
        "min": (MinFile, min_edits),
        "dense": (DenseFile, dense_edits),
    }[kind]
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
