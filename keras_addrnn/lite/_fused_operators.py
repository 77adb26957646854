"""The operators of ours in a file that TensorFlow's converter has written: options and weights."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from flatbuffers import flexbuffers

from addrnn.lite import _flatbuffer, _operators
from addrnn.lite._schema import schema


class _Kind(NamedTuple):
    """An operator: how many inputs it requires, the places of kernels among them, its options."""

    required_inputs: int
    kernels: tuple
    options: Callable
    attributes: tuple


KINDS = {
    _operators.ADD_GRU: _Kind(
        3,
        (1, 2),
        _operators.add_gru_options,
        ("activation", "state_shift", "state_max", "go_backwards"),
    ),
    _operators.MIN_ADD_GRU: _Kind(
        2, (1,), _operators.min_add_gru_options, ("activation", "go_backwards")
    ),
}
_OUTPUTS = 2
# With fewer rows, the scales and zero points of the columns take more than int8 saves.
_LEAST_ROWS = 5


def finish(model):
    """Brings the operators from the converter's form to the delegate's.

    That is: options of a fixed layout instead of a flexbuffer; absent optional inputs instead of
    empty ones; no outputs for a gradient. Raises a `ValueError` unless all compute in float32.
    """
    for name, kind, subgraph, node in _found(model):
        if subgraph.tensors[node.inputs[0]].type != schema.TensorType.FLOAT32:
            raise ValueError(
                f"{name} in LiteRT computes in float32 only. Cast its inputs and weights to it."
            )
        attributes = flexbuffers.Loads(bytes(node.customOptions))
        options = kind.options(*(attributes[name] for name in kind.attributes))
        node.customOptions = np.frombuffer(options, np.uint8)
        node.inputs = [
            _operators.ABSENT
            if place >= kind.required_inputs and 0 in subgraph.tensors[index].shape
            else index
            for place, index in enumerate(node.inputs)
        ]
        node.outputs = node.outputs[:_OUTPUTS]


def _found(model):
    """The name, the kind, the subgraph and the node of each operator of ours."""
    for name, kind in KINDS.items():
        for subgraph, node in _flatbuffer.operators_named(model, name):
            yield name, kind, subgraph, node


def quantize_weights(model, quantize):
    """Stores the kernels of each operator in a smaller type, which the delegate expands.

    All else that the operators read becomes float32. For `"float16"` the converter has put the
    constants into float16, each with an operator behind it that the delegate does not need.
    `"dynamic"` gives int8 with one scale for each column of a kernel.
    """
    if quantize is None:
        return
    made = {}
    for _, kind, subgraph, node in _found(model):
        node.inputs = [
            _input(model, subgraph, place in kind.kernels, index, quantize, made)
            for place, index in enumerate(node.inputs)
        ]
    _drop_unread(model)


def _input(model, subgraph, is_kernel, index, quantize, made):
    """The index of the tensor to read in the place of `index`."""
    if index < 0:
        return index
    key = id(subgraph), index, is_kernel
    if key in made:
        return made[key]
    result, name = index, subgraph.tensors[index].name
    if quantize == "float16":
        source = _before_dequantize(model, subgraph, index)
        if source is not None:
            if is_kernel:
                result = source
            else:
                values = _data(model, subgraph.tensors[source], np.float16).astype(np.float32)
                result = _flatbuffer.add_constant(model, subgraph, name, values)
    elif is_kernel and _is_constant(model, subgraph.tensors[index]):
        values = _data(model, subgraph.tensors[index], np.float32)
        rows = values.reshape(-1, values.shape[-1])
        if len(rows) >= _LEAST_ROWS:
            rows, scales = symmetric_int8(rows)
            result = _flatbuffer.add_constant(model, subgraph, name, rows.reshape(values.shape))
            subgraph.tensors[result].quantization = _flatbuffer.quantization(
                scales, dimension=values.ndim - 1
            )
    made[key] = result
    return result


def symmetric_int8(values):
    """`[rows, columns]` to int8 in -127..127 and a float32 scale for each column."""
    largest = np.abs(values).max(axis=0)
    # float32 with room for 127 times the scale: no rounding may lead to 128, or to a scale of 0.
    scales = np.where(largest > 127 * np.finfo(np.float32).tiny, largest / 127, 1)
    scales = scales.astype(np.float32)
    return np.clip(np.rint(values / scales), -127, 127).astype(np.int8), scales


def _is_constant(model, tensor):
    return model.buffers[tensor.buffer].data is not None


def _data(model, tensor, dtype):
    return np.frombuffer(bytes(model.buffers[tensor.buffer].data), dtype).reshape(tensor.shape)


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
    """Drops the DEQUANTIZE operators that nobody reads any more, and unread constants."""
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
