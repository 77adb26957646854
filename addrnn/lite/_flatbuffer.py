"""What is left to do in a file that TensorFlow's converter has written."""

import json
import struct

import numpy as np
from flatbuffers import Builder, flexbuffers

try:  # LiteRT's own, which needs no TensorFlow
    from ai_edge_litert import schema_py_generated as schema
except ImportError:
    from tensorflow.lite.python import schema_py_generated as schema

OPERATOR = "AddGru"
SIGNATURE = "serving_default"
METADATA = "keras_addrnn"

# As cc_ops/lite/options.h says.
_OPTIONS = struct.Struct("<4sIBBHff")
_ACTIVATIONS = ("linear", "relu", "hard_tanh", "tanh")
_ON_VARIABLES = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")
_REQUIRED_INPUTS, _OUTPUTS = 3, 2
_ABSENT = -1


class _AlignedBuffer(schema.BufferT):
    """A buffer whose data begins where vectors may be loaded from: Python's writer aligns to 1."""

    def Pack(self, builder):
        if self.data is None:
            return super().Pack(builder)
        payload = bytes(self.data)
        builder.StartVector(1, len(payload), 64 if len(payload) >= 64 else 16)
        builder.head -= len(payload)
        builder.Bytes[builder.head : builder.head + len(payload)] = payload
        data = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)


def read(content):
    """The file as `schema.ModelT`."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))


def write(model):
    """The bytes of a `schema.ModelT`; the same for the same model."""
    for index, buffer in enumerate(model.buffers):
        model.buffers[index] = _AlignedBuffer(buffer.data)
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def custom_operators(model):
    """The names of the operators that are not builtin; Flex operators are among them."""
    return [
        code.customCode.decode()
        for code in model.operatorCodes
        if code.builtinCode == schema.BuiltinOperator.CUSTOM
    ]


def variables(model):
    """The names of the operators that need variables, which LiteRT keeps in resources."""
    names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
    return [
        names[code.builtinCode]
        for code in model.operatorCodes
        if names[code.builtinCode] in _ON_VARIABLES
    ]


def add_grus(model):
    """Each `AddGru` operator with the subgraph that it is in."""
    for subgraph in model.subgraphs:
        for node in subgraph.operators:
            if model.operatorCodes[node.opcodeIndex].customCode == OPERATOR.encode():
                yield subgraph, node


def finish_operators(model):
    """Brings the `AddGru` operators from the converter's form to the delegate's.

    That is: options of a fixed layout instead of a flexbuffer; absent optional inputs instead of
    empty ones; no outputs for a gradient.

    Raises:
        ValueError: An operator does not compute in float32.
    """
    for subgraph, node in add_grus(model):
        if subgraph.tensors[node.inputs[0]].type != schema.TensorType.FLOAT32:
            raise ValueError("AddGru in LiteRT computes in float32 only.")
        attributes = flexbuffers.Loads(bytes(node.customOptions))
        options = _OPTIONS.pack(
            b"AGRU",
            1,
            _ACTIVATIONS.index(attributes["activation"]),
            attributes["go_backwards"],
            0,
            attributes["state_shift"],
            attributes["state_max"],
        )
        node.customOptions = np.frombuffer(options, np.uint8)
        node.inputs = [
            _ABSENT if place >= _REQUIRED_INPUTS and 0 in subgraph.tensors[index].shape else index
            for place, index in enumerate(node.inputs)
        ]
        node.outputs = node.outputs[:_OUTPUTS]


def name_inputs_and_outputs(model, inputs, outputs):
    """Gives the file its signature, which the converter keeps in a SavedModel's only.

    Args:
        inputs, outputs: Names, in the order of the file's inputs and outputs.
    """
    (main, *_) = model.subgraphs
    signature = schema.SignatureDefT()
    signature.signatureKey = SIGNATURE
    signature.subgraphIndex = 0
    signature.inputs = _tensor_map(inputs, main.inputs)
    signature.outputs = _tensor_map(outputs, main.outputs)
    model.signatureDefs = [signature]


def _tensor_map(names, indices):
    maps = []
    for name, index in zip(names, indices, strict=True):
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, int(index)
        maps.append(entry)
    return maps


def add_metadata(model, facts):
    """Adds a dict, as JSON, to the file's metadata."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(json.dumps(facts, sort_keys=True).encode(), np.uint8)
    entry = schema.MetadataT()
    entry.name, entry.buffer = METADATA, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
