"""LiteRT files as objects of the schema: read, written, and built from tensors and operators."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from addrnn.lite._schema import Builder, schema

SIGNATURE = "serving_default"
METADATA = "keras_addrnn"

_ON_VARIABLES = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")
_TYPES = {
    np.dtype(name): getattr(schema.TensorType, name.upper())
    for name in ("bool", "int8", "uint8", "int16", "int32", "float16", "float32")
}


class _AlignedBuffer(schema.BufferT):  # type: ignore[misc]
    """A buffer whose data begins where vectors may be loaded from: Python's writer aligns to 1."""

    def Pack(self, builder: Any) -> Any:
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


def read(content: bytes | bytearray) -> Any:
    """The file as `schema.ModelT`."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))


def write(model: Any) -> bytes:
    """The bytes of a `schema.ModelT`; the same for the same model."""
    for index, buffer in enumerate(model.buffers):
        # The classes of TensorFlow 2.19 and 2.20 take no arguments.
        model.buffers[index] = _AlignedBuffer()
        model.buffers[index].data = buffer.data
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def add_tensor(
    subgraph: Any, name: str | bytes, dtype: Any, shape: Sequence[int | None], buffer: int = 0
) -> int:
    """Adds a tensor to a subgraph and returns its index. A size of None stays open."""
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.buffer = name, _TYPES[np.dtype(dtype)], buffer
    tensor.shape = [1 if size is None else size for size in shape]
    tensor.shapeSignature = [-1 if size is None else size for size in shape]
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def add_constant(model: Any, subgraph: Any, name: str | bytes, values: np.ndarray) -> int:
    """Adds a tensor with values to a subgraph and returns its index."""
    little_endian = values.astype(values.dtype.newbyteorder("<"))
    buffer = add_buffer(model, little_endian.tobytes())
    return add_tensor(subgraph, name, values.dtype, values.shape, buffer)


def add_buffer(model: Any, content: bytes) -> int:
    """Adds bytes to a file and returns the index of their buffer."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def quantization(scales: Sequence[float], zero_point: int = 0, dimension: int = 0) -> Any:
    """The scales of a tensor, along one of its dimensions, as `schema.QuantizationParametersT`."""
    parameters = schema.QuantizationParametersT()
    parameters.scale = scales
    parameters.zeroPoint = np.full(len(scales), zero_point, np.int64)
    parameters.quantizedDimension = dimension
    return parameters


def add_operator(
    model: Any,
    subgraph: Any,
    name: str,
    inputs: Sequence[int],
    outputs: Sequence[int],
    options: bytes,
) -> None:
    """Adds a custom operator to a subgraph, and its name to the file if it is the first."""
    names = [code.customCode for code in model.operatorCodes]
    if name not in names:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode, code.version = name, 1
        model.operatorCodes.append(code)
        names.append(name)
    node = schema.OperatorT()
    node.opcodeIndex = names.index(name)
    node.inputs, node.outputs = inputs, outputs
    node.customOptions = np.frombuffer(options, np.uint8)
    subgraph.operators.append(node)


def custom_operators(model: Any) -> list[str]:
    """The names of the operators that are not builtin; Flex operators are among them."""
    return [
        (code.customCode or b"").decode()
        for code in model.operatorCodes
        if code.builtinCode == schema.BuiltinOperator.CUSTOM
    ]


def variable_operators(model: Any) -> list[str]:
    """The names of the operators that need variables, which LiteRT keeps in resources."""
    names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
    return [
        names[code.builtinCode]
        for code in model.operatorCodes
        if names[code.builtinCode] in _ON_VARIABLES
    ]


def operators_named(model: Any, name: str) -> Iterator[tuple[Any, Any]]:
    """Each custom operator of that name, behind the subgraph that it is in."""
    for subgraph in model.subgraphs:
        for node in subgraph.operators:
            if model.operatorCodes[node.opcodeIndex].customCode == name.encode():
                yield subgraph, node


def name_inputs_and_outputs(model: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
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


def _tensor_map(names: Sequence[str], indices: Sequence[int]) -> list[Any]:
    maps = []
    for name, index in zip(names, indices, strict=True):
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, int(index)
        maps.append(entry)
    return maps


def add_metadata(model: Any, facts: dict[str, Any]) -> None:
    """Adds a dict, as JSON, to the file's metadata."""
    entry = schema.MetadataT()
    entry.name = METADATA
    entry.buffer = add_buffer(model, json.dumps(facts, sort_keys=True).encode())
    model.metadata = [*(model.metadata or []), entry]
