"""What TensorFlow's quantisers need to be told of a calibrated model to get it right.

The calibrator sees a range for each tensor, so another for the state at each step. Operators that
move numbers without computing (stacking the steps, concatenating two directions) have to give
inputs and output the same range; the quantisers take that of one of them, and what the state has
added up beyond it is cut off. Here they get a common one first, which holds all; so do the steps of
a layer, since a sum may come early, and a ReLU with its input, so that `u - relu(u)` is exactly 0.

The steps of an unrolled layer share a bias, but an integer bias has the scale of its inputs, which
differs from step to step. The quantiser for int16 gives it that of the first; so each gets its own.

What is 0 in all samples, or a constant of zeros, has a range of nothing, on which LiteRT aborts.

Knows TensorFlow alone, as `process_main.py` does.
"""

import collections
import copy

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

_MOVING = {
    getattr(schema.BuiltinOperator, name)
    for name in (
        "CONCATENATION",
        "EXPAND_DIMS",
        "GATHER",
        "PACK",
        "PAD",
        "RELU",
        "RESHAPE",
        "REVERSE_V2",
        "SELECT",
        "SELECT_V2",
        "SLICE",
        "SPLIT",
        "SQUEEZE",
        "STRIDED_SLICE",
        "TRANSPOSE",
        "UNPACK",
    )
}

# LiteRT aborts where a result's scale is below 2**-14 of a summand's, as if all were always 0.
_NARROW, _LEAST = 1 / 1024, 1e-6
_WEIGHTS, _BIAS = 1, 2  # their places among the inputs of
_SUMS = {schema.BuiltinOperator.ADD, schema.BuiltinOperator.SUB}
_WITH_BIAS = {
    getattr(schema.BuiltinOperator, name)
    for name in ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")
}


def unify(model):
    """Widens ranges in a calibrated `schema.ModelT`: to one, where they should be the same."""
    for subgraph in model.subgraphs:
        _unify(model, subgraph)
        _widen_narrow(subgraph)
        _unify(model, subgraph)


def _unify(model, subgraph):
    group = list(range(len(subgraph.tensors)))

    def root(index):
        while group[index] != index:
            index = group[index]
        return index

    def unite(indices):
        indices = [int(i) for i in indices if i >= 0 and _range(subgraph.tensors[i])]
        for index in indices[1:]:
            group[root(index)] = root(indices[0])

    for node in subgraph.operators:
        if model.operatorCodes[node.opcodeIndex].builtinCode in _MOVING:
            unite((*node.inputs, *node.outputs))
    for steps in _steps(model, subgraph):
        unite(node.inputs[0] for node in steps)
        unite(node.outputs[0] for node in steps)
    ranges = {}
    for index, tensor in enumerate(subgraph.tensors):
        if found := _range(tensor):
            low, high = ranges.get(root(index), found)
            ranges[root(index)] = min(low, found[0]), max(high, found[1])
    for index, tensor in enumerate(subgraph.tensors):
        if _range(tensor):
            low, high = ranges[root(index)]
            tensor.quantization.min, tensor.quantization.max = [low], [high]


def _widen_narrow(subgraph):
    """Gives no result a range that is nothing beside that of what it is computed from."""
    for node in subgraph.operators:
        inputs = [subgraph.tensors[index] for index in node.inputs if index >= 0]
        largest = max((_amplitude(tensor) for tensor in inputs if _range(tensor)), default=0.0)
        for index in node.outputs:
            tensor = subgraph.tensors[index]
            if _range(tensor) and _amplitude(tensor) < max(_NARROW * largest, _LEAST):
                tensor.quantization.max = [max(_NARROW * largest, _LEAST)]


def _amplitude(tensor):
    return max(map(abs, _range(tensor)))


def _steps(model, subgraph):
    """The operators that share their weights: those of a layer's steps."""
    by_weights = collections.defaultdict(list)
    for node in subgraph.operators:
        if model.operatorCodes[node.opcodeIndex].builtinCode in _WITH_BIAS:
            by_weights[int(node.inputs[_WEIGHTS])].append(node)
    return by_weights.values()


def separate_biases(model):
    """Gives each operator of a `schema.ModelT` a bias of its own."""
    for subgraph in model.subgraphs:
        taken = set()
        for node in subgraph.operators:
            if model.operatorCodes[node.opcodeIndex].builtinCode not in _WITH_BIAS:
                continue
            if len(node.inputs) <= _BIAS or node.inputs[_BIAS] < 0:
                continue
            node.inputs = [int(index) for index in node.inputs]
            if node.inputs[_BIAS] in taken:
                tensor = copy.deepcopy(subgraph.tensors[node.inputs[_BIAS]])
                model.buffers.append(copy.deepcopy(model.buffers[tensor.buffer]))
                tensor.buffer = len(model.buffers) - 1
                node.inputs[_BIAS] = len(subgraph.tensors)
                subgraph.tensors.append(tensor)
            taken.add(node.inputs[_BIAS])


def fill_zero_summands(model):
    """Puts something next to nothing into constants of zeros: a range of nothing has no scale."""
    for subgraph in model.subgraphs:
        for node in subgraph.operators:
            if model.operatorCodes[node.opcodeIndex].builtinCode not in _SUMS:
                continue
            for tensor in (subgraph.tensors[index] for index in node.inputs):
                buffer = model.buffers[tensor.buffer]
                if tensor.type != schema.TensorType.FLOAT32 or buffer.data is None:
                    continue
                values = np.frombuffer(bytes(buffer.data), np.float32)
                if np.abs(values).max(initial=0) < _LEAST:
                    buffer.data = np.full_like(values, _LEAST).view(np.uint8)


def _range(tensor):
    quantization = tensor.quantization
    if quantization is None or quantization.min is None or len(quantization.min) != 1:
        return None
    return float(quantization.min[0]), float(quantization.max[0])
