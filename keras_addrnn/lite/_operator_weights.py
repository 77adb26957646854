"""The weights of a file's `AddGru` operators in float16 or int8, which the delegate expands."""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from addrnn.lite import _flatbuffer

_KERNELS = (1, 2)  # the places of kernel and recurrent kernel among the operator's inputs
# With fewer rows, the scales and zero points of the columns take more than int8 saves.
_LEAST_ROWS = 5


def quantize(model, kind):
    """Stores the kernels of each `AddGru` as `kind` says, and all else that it reads as float32.

    Args:
        model: `schema.ModelT`, which the converter made with the same `quantize`.
        kind: `"float16"`: the converter has put the constants into float16, with an operator after
            each that makes them float32 again; the delegate needs none. `"dynamic"`: int8, one
            scale for each column of a kernel, symmetric. None: nothing is to be done.
    """
    if kind is None:
        return
    made = {}
    for subgraph, node in _flatbuffer.add_grus(model):
        node.inputs = [
            _input(model, subgraph, place, index, kind, made)
            for place, index in enumerate(node.inputs)
        ]
    _drop_unread(model)


def _input(model, subgraph, place, index, kind, made):
    """The index of the tensor to read in the place of `index`."""
    if index < 0:
        return index
    key = id(subgraph), index, place in _KERNELS
    if key in made:
        return made[key]
    result = index
    if kind == "float16":
        source = _before_dequantize(model, subgraph, index)
        if source is not None:
            if place in _KERNELS:
                result = source
            else:
                values = _data(model, subgraph.tensors[source], np.float16).astype(np.float32)
                result = _add(model, subgraph, index, values, schema.TensorType.FLOAT32)
    elif place in _KERNELS and _is_constant(model, subgraph.tensors[index]):
        values = _data(model, subgraph.tensors[index], np.float32)
        if len(values) >= _LEAST_ROWS:
            values, scales = symmetric_int8(values)
            result = _add(model, subgraph, index, values, schema.TensorType.INT8)
            subgraph.tensors[result].quantization = _quantization(scales)
    made[key] = result
    return result


def symmetric_int8(values):
    """`[rows, columns]` to int8 in -127..127 and a float32 scale for each column."""
    largest = np.abs(values).max(axis=0)
    # float32 with room for 127 times the scale: no rounding may lead to 128, or to a scale of 0.
    scales = np.where(largest > 127 * np.finfo(np.float32).tiny, largest / 127, 1)
    scales = scales.astype(np.float32)
    return np.clip(np.rint(values / scales), -127, 127).astype(np.int8), scales


def _quantization(scales):
    quantization = schema.QuantizationParametersT()
    quantization.scale = scales
    quantization.zeroPoint = np.zeros(len(scales), np.int64)
    quantization.quantizedDimension = 1
    return quantization


def _is_constant(model, tensor):
    return model.buffers[tensor.buffer].data is not None


def _data(model, tensor, dtype):
    return np.frombuffer(bytes(model.buffers[tensor.buffer].data), dtype).reshape(tensor.shape)


def _add(model, subgraph, like, values, kind):
    """A constant beside the tensor `like`, of its name; its index."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    tensor = schema.TensorT()
    tensor.shape, tensor.type = np.array(values.shape, np.int32), kind
    tensor.name, tensor.buffer = subgraph.tensors[like].name, len(model.buffers)
    model.buffers.append(buffer)
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def _before_dequantize(model, subgraph, index):
    """The float16 constant that an operator makes the tensor of, or None."""
    for node in subgraph.operators:
        if index in node.outputs and _is_dequantize(model, node):
            source = subgraph.tensors[node.inputs[0]]
            if source.type == schema.TensorType.FLOAT16 and _is_constant(model, source):
                return int(node.inputs[0])
    return None


def _is_dequantize(model, node):
    code = model.operatorCodes[node.opcodeIndex].builtinCode
    return code == schema.BuiltinOperator.DEQUANTIZE


def _drop_unread(model):
    """Drops the operators that made float32 of what is read as it is, and constants' data."""
    read_buffers, unread_buffers = {0}, set()
    for subgraph in model.subgraphs:
        subgraph.operators = [
            node
            for node in subgraph.operators
            if not _is_dequantize(model, node) or int(node.outputs[0]) in _read(subgraph)
        ]
        read = _read(subgraph)
        for index, tensor in enumerate(subgraph.tensors):
            (read_buffers if index in read else unread_buffers).add(tensor.buffer)
    for index in unread_buffers - read_buffers:
        model.buffers[index].data = None


def _read(subgraph):
    read = {int(index) for node in subgraph.operators for index in node.inputs}
    return read.union(map(int, subgraph.outputs))
