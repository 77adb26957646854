"""Corrects a calibrated model before TensorFlow's quantizers see it.

The calibrator finds a range for each tensor, and so another one for the state at each step.

- Some operators move numbers without computing: they stack the steps, concatenate two directions,
  or choose the larger of two. Their inputs and outputs need one range. The quantizers take the
  range of one of them and clip everything beyond it. Here all get a range that holds all.
- The steps of a layer get one range too, since a sum may come early. So does a ReLU with its input:
  then `u - relu(u)` is exactly 0.
- The steps of an unrolled layer share a bias. An integer bias has the scale of its inputs, which
  differs from step to step, and the int16 quantizer uses the first. Here each step gets its own.
- Before a ReLU all numbers below 0 are as good as 0. What is subtracted before one need not go
  beyond what it is subtracted from: the fading of many steps adds up to far more than any state.
- A tensor that is 0 in all samples, or a constant of zeros, has an empty range. LiteRT aborts on
  it. Here it gets a small one.
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
        "MAXIMUM",
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
_WEIGHTS, _BIAS = 1, 2  # places among the inputs of the operators `_WITH_BIAS`
_ADD, _SUB = schema.BuiltinOperator.ADD, schema.BuiltinOperator.SUB
_ALL = -np.inf, np.inf
_SUMS = {_ADD, _SUB}
_WITH_BIAS = {
    getattr(schema.BuiltinOperator, name)
    for name in ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")
}


def share_ranges(model):
    """Widens the ranges of a calibrated `schema.ModelT` to a common one where one is needed."""
    for subgraph in model.subgraphs:
        _share_ranges(model, subgraph)
        _limit_to_useful(model, subgraph)
        _share_ranges(model, subgraph)
        _widen_narrow(subgraph)
        _share_ranges(model, subgraph)


def _share_ranges(model, subgraph):
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


def _limit_to_useful(model, subgraph):
    """Narrows each range to what can make a difference to the outputs."""
    useful = dict.fromkeys(map(int, subgraph.outputs), _ALL)
    codes = [model.operatorCodes[node.opcodeIndex].builtinCode for node in subgraph.operators]
    relus = {
        int(node.outputs[0]): int(node.inputs[0])
        for node, code in zip(subgraph.operators, codes, strict=True)
        if code == schema.BuiltinOperator.RELU
    }
    for node, code in zip(reversed(subgraph.operators), reversed(codes), strict=True):
        result = _union(useful.get(int(index), _ALL) for index in node.outputs)
        if code == schema.BuiltinOperator.RELU:
            result = useful[int(node.outputs[0])] = 0.0, result[1]
        inputs = [int(index) for index in node.inputs if index >= 0]
        found = _useful_inputs(code, node, inputs, subgraph, relus, result)
        for index, limits in zip(inputs, found, strict=True):
            useful[index] = _union([limits, useful.get(index, limits)])
    for index, (least, greatest) in useful.items():
        tensor = subgraph.tensors[index]
        if found := _range(tensor):
            low, high = max(found[0], least), min(found[1], greatest)
            if low < high:
                tensor.quantization.min, tensor.quantization.max = [low], [high]


def _useful_inputs(code, node, inputs, subgraph, relus, result):
    """For each input the interval beyond which all numbers are as good as the bound."""
    if code in _MOVING:
        return [result] * len(inputs)
    ranges = [_range(subgraph.tensors[index]) for index in inputs]
    not_negative = [
        index in relus or (found is not None and found[0] >= 0)
        for index, found in zip(inputs, ranges, strict=True)
    ]
    if code == _ADD and all(not_negative):
        return [result] * len(inputs)
    if code == _SUB and all(ranges):
        if _has_relu(node):
            return [(0.0 if not_negative[1] else -np.inf, np.inf), (-np.inf, ranges[0][1])]
        if relus.get(inputs[0]) == inputs[1]:  # relu(x) - x, which is relu(-x)
            return [(0.0, 0.0), (-result[1], 0.0)]
    return [_ALL] * len(inputs)


def _union(intervals):
    lows, highs = zip(*intervals, strict=True)
    return min(lows), max(highs)


def _has_relu(node):
    relu = schema.ActivationFunctionType.RELU
    return node.builtinOptions.fusedActivationFunction == relu


def _widen_narrow(subgraph):
    """Widens the range of each result that is tiny beside the ranges of its operands."""
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
    """Lists of operators that share their weights: the steps of a layer."""
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
    """Replaces constants of zeros by tiny numbers, since an empty range has no scale."""
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
