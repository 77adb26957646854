"""Files with a `MinAddGru` as nobody should write them; see hostile_files.

python -m tests.addrnn.lite.hostile_min_files MODEL.tflite edited|drawn|bytes
"""

import copy
import pathlib
import sys

from ai_edge_litert import schema_py_generated as schema

from tests.addrnn.lite.hostile_files import (
    OUTPUTS,
    File,
    computed,
    cut_data,
    draw,
    dtype,
    execute,
    expect_refusals,
    indices,
    options,
    packed,
    run_drawn,
    scale,
    shape,
    small,
    with_bytes,
)
from tests.addrnn.lite.small_weights import as_float16, as_int8

INPUTS = ("inputs", "kernel", "bias", "initial_state", "mask", "initial_inputs")


class MinFile(File):
    inputs = INPUTS


def edits():
    """Name, edit, and what the error says. B, T, D, H, w are 2, 3, 4, 5, 3."""
    for place, name in enumerate(INPUTS[:2]):
        gone = indices("inputs", lambda now, _, n=place: [*now[:n], -1, *now[n + 1 :]])
        yield f"without {name}", gone, f"{name} is missing"
    for dims in ((3, 4, 11), (3, 40), (120,), (0, 4, 10), (1, 3, 4, 10)):
        yield f"kernel {dims}", shape("kernel", dims), ""
    yield "kernel of other inputs", shape("kernel", (3, 5, 10)), "kernel must be of shape [3, 4, 10"
    # A window other than that of the state of a stream.
    for dims in ((2, 4, 10), (4, 4, 10), (1, 4, 10)):
        yield f"kernel {dims}", shape("kernel", dims), "initial_inputs must be of shape [2, "
    for dims in ((2, 1, 4), (2, 3, 4), (1, 2, 4), (2, 2, 5), (16,), (2, 8)):
        says = "initial_inputs must be of shape [2, 2, 4]"
        yield f"initial_inputs {dims}", shape("initial_inputs", dims), says
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
    for name in OUTPUTS:
        yield f"{name} of type int32", dtype(name, types.INT32), f"{name} must be of type float32"

    yield "no inputs", indices("inputs", lambda *_: []), "must have 6 inputs"
    yield "five inputs", indices("inputs", lambda now, _: now[:5]), "must have 6 inputs"
    yield "one output", indices("outputs", lambda now, _: now[:1]), "must have 2 outputs"
    yield "one output twice", indices("outputs", lambda now, _: now[:1] * 2), "of its own"
    yield "index beyond", indices("inputs", lambda now, _: [now[0], 10_000, *now[2:]]), ""

    foreign = "options are not those that keras_addrnn.lite.convert writes"
    yield "no options", options(lambda _: None), foreign
    yield "options of AddGru", options(lambda o: b"AGRU" + o[4:] + bytes(8)), foreign
    for size in range(1, 12):
        yield f"{size} bytes of options", options(lambda o, n=size: o[:n]), "options"
    yield "long options", options(lambda o: o + b"\x00"), "wrong size"
    yield "later version", packed(4, "<I", 2), "version"
    yield "activation 4", packed(8, "<B", 4), "no known activation"
    yield "go_backwards 2", packed(9, "<B", 2), "impossible flags"
    yield "reserved", packed(10, "<H", 1), "impossible flags"

    for form in (as_int8, as_float16):
        yield "kernel computed", small("kernel", form, computed), "kernel must be a constant"
        for keep in (0, 7):
            cut = small("kernel", form, lambda file, tensor, n=keep: cut_data(file, tensor, n))
            yield f"kernel cut to {keep}", cut, ""
    for value in (float("nan"), float("inf"), -1.0):
        yield f"scale {value}", small("kernel", as_int8, scale(9, value)), "scales that are finite"

    def along(dimension):
        def change(_, tensor):
            tensor.quantization.quantizedDimension = dimension

        return change

    for dimension in (-1, 0, 1, 3):
        yield f"scales along {dimension}", small("kernel", as_int8, along(dimension)), ""


def with_edits(base, generator):
    file = copy.deepcopy(base)
    if (form := (None, as_float16, as_int8)[generator.integers(3)]) is not None:
        form(file, "kernel")
    for _ in range(generator.integers(1, 4)):
        draw(file, generator)
    return file.content()


def main(path, mode):
    base = MinFile(pathlib.Path(path).read_bytes())
    execute(base.content())
    if mode == "edited":
        expect_refusals(base, edits())
    else:
        run_drawn(base, {"drawn": with_edits, "bytes": with_bytes}[mode])


if __name__ == "__main__":
    main(*sys.argv[1:])
