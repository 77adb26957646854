"""Fused files as nobody should write them; run as a process of its own, with two arguments.

    python -m tests.addrnn.lite.hostile_files MODEL.tflite edited|drawn|bytes

The model holds one `AddGru` with all of its inputs. `edited`: each file is wrong in one known way,
and must be refused with an error that says so. `drawn`: files with several random edits, which must
be refused or run; `bytes`: with several random bytes. Prints the name of each before it runs, so
that the last line names the one that crashed. Knows no TensorFlow.
"""

import copy
import itertools
import pathlib
import struct
import sys

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder

from addrnn.lite import Interpreter
from tests.addrnn.lite.small_weights import as_float16, as_int8

INPUTS = ("inputs", "kernel", "recurrent_kernel", "bias", "initial_state", "mask")
OUTPUTS = ("outputs", "final_state")
ERRORS = (RuntimeError, ValueError, MemoryError)
DRAWN = 3000
# LiteRT's own Python binding crashes when it is asked for a resource or a string that is not there.
PLAIN_TYPES = [
    getattr(schema.TensorType, name)
    for name in (
        "FLOAT32",
        "FLOAT16",
        "FLOAT64",
        "INT32",
        "INT64",
        "INT16",
        "INT8",
        "UINT8",
        "BOOL",
    )
]


class File:
    """A file that can be edited: its operator, and that one's tensors by name."""

    inputs, outputs = INPUTS, OUTPUTS

    def __init__(self, content):
        self.model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
        (self.graph,) = self.model.subgraphs
        codes = self.model.operatorCodes
        (self.node,) = (n for n in self.graph.operators if codes[n.opcodeIndex].customCode)
        self.node.inputs, self.node.outputs = list(self.node.inputs), list(self.node.outputs)

    def tensor(self, name):
        if name in self.inputs:
            return self.graph.tensors[self.node.inputs[self.inputs.index(name)]]
        return self.graph.tensors[self.node.outputs[self.outputs.index(name)]]

    def index(self, name):
        return self.graph.tensors.index(self.tensor(name))

    def content(self):
        builder = Builder(1024)
        builder.Finish(self.model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


def execute(content):
    """Runs the file on what its inputs say; returns what comes out."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], np.ones(detail["shape"], detail["dtype"]))
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def shape(name, dims):
    def edit(file):
        tensor = file.tensor(name)
        tensor.shape, tensor.shapeSignature = np.array(dims, np.int32), None
        if (data := file.model.buffers[tensor.buffer]).data is not None:  # as long as it should be
            data.data = np.zeros(4 * int(np.prod(dims)), np.uint8)

    return edit


def dtype(name, value):
    def edit(file):
        tensor = file.tensor(name)
        tensor.type = value
        if value == schema.TensorType.FLOAT64:
            data = file.model.buffers[tensor.buffer]
            data.data = None if data.data is None else np.tile(data.data, 2)

    return edit


def indices(which, change):
    def edit(file):
        setattr(file.node, which, change(getattr(file.node, which), file))

    return edit


def options(change):
    def edit(file):
        data = change(bytes(file.node.customOptions))
        file.node.customOptions = None if data is None else np.frombuffer(data, np.uint8)

    return edit


def packed(offset, layout, value):
    return options(
        lambda o: o[:offset] + struct.pack(layout, value) + o[offset + struct.calcsize(layout) :]
    )


def without(name):
    place = INPUTS.index(name)
    return indices("inputs", lambda now, _: [*now[:place], -1, *now[place + 1 :]])


def edits():
    """Name, edit, and what the error says."""
    for name in ("inputs", "kernel", "recurrent_kernel"):
        yield f"without {name}", without(name), f"{name} is missing"
    for dims in ((1, 1, 4), (2, 10, 1), (10,), (1,)):
        yield f"recurrent_kernel {dims}", shape("recurrent_kernel", dims), "recurrent_kernel must"
    for dims in ((4, 11), (5, 10), (40,), (1, 4, 10)):
        yield f"kernel {dims}", shape("kernel", dims), "kernel must be of shape [4, 10]"
    for dims in ((9,), (1, 10)):
        yield f"bias {dims}", shape("bias", dims), "bias must be of shape [10]"
    for dims in ((2, 6), (3, 5), (5,)):
        yield f"state {dims}", shape("initial_state", dims), "initial_state must be of shape [2, 5]"
    for dims in ((2, 4), (1, 3), (3,)):
        yield f"mask {dims}", shape("mask", dims), "mask must be of shape [2, 3]"
    for dims in ((2, 4), (2, 3, 4, 1), (4,)):
        yield f"inputs {dims}", shape("inputs", dims), "inputs must be of shape [batch, time, input"
    types = schema.TensorType
    for name in INPUTS:
        for value in (types.INT32, types.FLOAT64, types.INT8):
            yield f"{name} of type {value}", dtype(name, value), ""
    yield "mask of type float", dtype("mask", types.FLOAT32), "mask must be of type bool"
    for name in OUTPUTS:
        yield f"{name} of type int32", dtype(name, types.INT32), f"{name} must be of type float32"

    yield "no inputs", indices("inputs", lambda *_: []), "must have 6 inputs"
    yield "five inputs", indices("inputs", lambda now, _: now[:5]), "must have 6 inputs"
    yield "seven inputs", indices("inputs", lambda now, _: [*now, 0]), "must have 6 inputs"
    yield "no outputs", indices("outputs", lambda *_: []), "must have 2 outputs"
    yield "one output", indices("outputs", lambda now, _: now[:1]), "must have 2 outputs"
    yield "three outputs", indices("outputs", lambda now, _: [*now, now[0]]), "must have 2 outputs"
    yield "one output twice", indices("outputs", lambda now, _: now[:1] * 2), "of its own"
    yield "output is input", indices("outputs", lambda now, f: [f.index("inputs"), now[1]]), ""
    yield "output is weight", indices("outputs", lambda now, f: [f.index("bias"), now[1]]), ""
    yield "index beyond", indices("inputs", lambda now, _: [now[0], 10_000, *now[2:]]), ""

    foreign = "options are not those that keras_addrnn.lite.convert writes"
    yield "no options", options(lambda _: None), foreign
    yield "empty options", options(lambda _: b""), foreign
    yield "foreign options", options(lambda o: b"\x00" * len(o)), foreign
    for size in range(1, 20):
        yield f"{size} bytes of options", options(lambda o, n=size: o[:n]), "options"
    yield "long options", options(lambda o: o + b"\x00"), "wrong size"
    yield "later version", packed(4, "<I", 2), "version"
    yield "activation 4", packed(8, "<B", 4), "no known activation"
    yield "go_backwards 2", packed(9, "<B", 2), "impossible flags"
    yield "reserved", packed(10, "<H", 1), "impossible flags"
    for value in (-1.0, float("nan"), float("inf")):
        yield f"state_shift {value}", packed(12, "<f", value), "state_shift must be finite"
    for value in (0.0, -1.0, float("nan"), float("-inf")):
        yield f"state_max {value}", packed(16, "<f", value), "state_max must be above"


def small(name, form, change):
    """An edit of a matrix that is of float16 or int8."""

    def edit(file):
        form(file, name)
        change(file, file.tensor(name))

    return edit


def scale(at, value):
    def change(_, tensor):
        tensor.quantization.scale[at] = value

    return change


def computed(file, tensor):
    """The tensor is an input of the file, and no constant."""
    tensor.buffer = 0
    file.graph.inputs = [*file.graph.inputs, file.graph.tensors.index(tensor)]


def small_weight_edits():
    for name in ("kernel", "recurrent_kernel"):
        for form in (as_int8, as_float16):
            yield f"{name} computed", small(name, form, computed), f"{name} must be a constant"
            cut = small(name, form, lambda file, tensor: cut_data(file, tensor, 7))
            yield f"{name} cut off", cut, ""
            empty = small(name, form, lambda file, tensor: cut_data(file, tensor, 0))
            yield f"{name} without data", empty, ""

        def without_scale(_, tensor):
            tensor.quantization = None

        yield (
            f"{name} without scale",
            small(name, as_int8, without_scale),
            "have a scale",
        )
        for value in (float("nan"), float("inf"), -1.0):
            for at in (0, 9):
                wrong = small(name, as_int8, scale(at, value))
                yield (
                    f"{name} scale {value} at {at}",
                    wrong,
                    "scales that are finite",
                )

        def zero_point(_, tensor):
            tensor.quantization.zeroPoint[3] = 1

        yield f"{name} zero point", small(name, as_int8, zero_point), "must have zero points of 0"

        def by_row(_, tensor):
            tensor.quantization.quantizedDimension = 0
            tensor.quantization.scale = np.ones(tensor.shape[0], np.float32)
            tensor.quantization.zeroPoint = np.zeros(tensor.shape[0], np.int64)

        yield f"{name} by row", small(name, as_int8, by_row), "must have one scale, or one for each"
        for count in (2, 9, 11, 20):

            def other_count(_, tensor, count=count):
                tensor.quantization.scale = np.ones(count, np.float32)
                tensor.quantization.zeroPoint = np.zeros(count, np.int64)

            yield f"{name} {count} scales", small(name, as_int8, other_count), ""
        for dimension in (-1, 2, 2**31 - 1):

            def other_dimension(_, tensor, dimension=dimension):
                tensor.quantization.quantizedDimension = dimension

            yield f"{name} along {dimension}", small(name, as_int8, other_dimension), ""


def cut_data(file, tensor, keep):
    data = file.model.buffers[tensor.buffer]
    data.data = data.data[:keep] if keep else None


def expect_refusals(base, edits):
    count = 0
    for name, edit, says in edits:
        print(name, flush=True)
        file = copy.deepcopy(base)
        edit(file)
        try:
            execute(file.content())
        except ERRORS as error:
            if says not in str(error):
                sys.exit(f"{name}: the error does not say {says!r}: {error}")
            count += 1
            continue
        sys.exit(f"{name} was not refused")
    print(f"all {count} refused")


def draw(file, generator):
    """One random edit."""
    node, kind = file.node, generator.integers(6)
    if kind == 0:
        which = ("inputs", "outputs")[generator.integers(2)]
        now = list(getattr(node, which))
        if now:
            now[generator.integers(len(now))] = int(generator.integers(-2, len(file.graph.tensors)))
        if generator.random() < 0.1:
            now = now[:-1]
        setattr(node, which, now)
    elif kind == 1 and node.customOptions is not None and len(node.customOptions):
        data = bytearray(bytes(node.customOptions))
        data[generator.integers(len(data))] = int(generator.integers(256))
        if generator.random() < 0.1:
            data = data[: generator.integers(len(data))]
        node.customOptions = np.frombuffer(bytes(data), np.uint8)
    elif kind == 2:
        tensor = file.graph.tensors[generator.integers(len(file.graph.tensors))]
        dims = np.array(tensor.shape if tensor.shape is not None else [], np.int32)
        if dims.size:
            extremes = [-1, 0, 1, 2, 3, 5, 2**31 - 1]
            dims[generator.integers(dims.size)] = extremes[generator.integers(len(extremes))]
        if generator.random() < 0.2:
            dims = dims[1:]
        if dims.size == 0 or np.prod(np.abs(dims.astype(float))) < 1e6:  # memory for it is there
            tensor.shape, tensor.shapeSignature = dims, None
    elif kind == 3:
        tensor = file.graph.tensors[generator.integers(len(file.graph.tensors))]
        tensor.type = int(generator.choice(PLAIN_TYPES))
    elif kind == 4:
        tensor = file.graph.tensors[generator.integers(len(file.graph.tensors))]
        if (data := file.model.buffers[tensor.buffer].data) is not None:
            cut_data(file, tensor, generator.integers(len(data) + 1))
    elif kind == 5:
        tensor = file.graph.tensors[generator.integers(len(file.graph.tensors))]
        count = int(generator.choice([0, 1, 2, 4, 5, 10]))
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = generator.choice([0, 1, -1, np.nan, 1e38], count)
        tensor.quantization.zeroPoint = generator.integers(0, 2, count)
        tensor.quantization.quantizedDimension = int(generator.integers(-1, 3))


def run_drawn(base, make):
    """`make` gives the content of a file with random edits."""
    refused = 0
    for seed in range(DRAWN):
        print(f"seed {seed}", flush=True)
        try:
            execute(make(base, np.random.default_rng(seed)))
        except ERRORS:
            refused += 1
    print(f"{refused} of {DRAWN} refused, the others ran")


def with_edits(base, generator):
    file = copy.deepcopy(base)
    for name in ("kernel", "recurrent_kernel"):
        if (form := (None, as_float16, as_int8)[generator.integers(3)]) is not None:
            form(file, name)
    for _ in range(generator.integers(1, 4)):
        draw(file, generator)
    return file.content()


def with_bytes(base, generator):
    content = bytearray(base.content())
    for _ in range(generator.integers(1, 4)):
        content[generator.integers(len(content))] = generator.integers(256)
    return bytes(content)


def main(path, mode):
    base = File(pathlib.Path(path).read_bytes())
    execute(base.content())
    if mode == "edited":
        expect_refusals(base, itertools.chain(edits(), small_weight_edits()))
    else:
        run_drawn(base, {"drawn": with_edits, "bytes": with_bytes}[mode])
    if {"tensorflow", "keras"} & set(sys.modules):
        sys.exit("something has imported TensorFlow or Keras")


if __name__ == "__main__":
    main(*sys.argv[1:])
