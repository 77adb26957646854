"""Integer model to LiteRT file (`.tflite`): one operator for each layer, without a converter."""

import struct

import numpy as np

from addrnn import _validation
from addrnn._atomic_file import checked_path, replacing
from addrnn._version import __version__
from addrnn.layers import IntegerDense
from addrnn.model import IntegerModel

try:
    from addrnn.lite import _flatbuffer
    from addrnn.lite._flatbuffer import schema
except ImportError as error:
    raise ImportError(
        "addrnn.lite.convert_integer needs the schema of LiteRT's files. Run `pip install "
        "ai-edge-litert`, or install keras_addrnn[litert]."
    ) from error

OPERATOR, DENSE_OPERATOR = "AddGruInt", "AddGruIntDense"

# As cc_ops/lite/options_int.h says.
_OPTIONS = struct.Struct("<4sIBBhhhhH")
ABSENT = -1
_TYPES = {
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.uint8): schema.TensorType.UINT8,
    np.dtype(np.int16): schema.TensorType.INT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(bool): schema.TensorType.BOOL,
}


def convert_integer(model, path=None, *, batch_size=1, mask=False):
    """Writes an integer model as a LiteRT flatbuffer.

    Each layer becomes one operator, `AddGruInt` or `AddGruIntDense`, which
    `addrnn.lite.Interpreter` runs, and so does any other interpreter that loads our delegate.
    The file gives the same integers as `model.run`, bit for bit. It has one input, `"inputs"`, int8
    or int16 `[batch, time, features]`, and one output, `"outputs"`, int32 behind an `IntegerDense`
    and int16 otherwise, each with its scale and zero point. Inputs out of range count as the
    nearest that is not. The time axis is open: set its length with
    `Interpreter.resize_tensor_input`.

    Neither Keras nor TensorFlow is imported. The same model gives the same bytes.

    Args:
        model: `addrnn.IntegerModel`.
        path: Where to write the file too; it is replaced whole or not at all. None for nowhere.
        batch_size: Size of the batch axis, a positive integer; or None, to leave it open.
        mask: Whether the file has a second input `"mask"`, booleans `[batch, time]`. Where it is
            False, the states stay as they are.

    Returns:
        The flatbuffer, `bytes`.

    Raises:
        TypeError: `model` is not an `IntegerModel`, or `batch_size` not an integer.
        ValueError: `batch_size` is not positive, or `path` not that of a file in a directory.

    Example:

    >>> model = addrnn.load("digits.safetensors")
    >>> content = addrnn.lite.convert_integer(model, "digits.tflite")
    """
    if not isinstance(model, IntegerModel):
        raise TypeError(
            f"Argument `model` must be an addrnn.IntegerModel. Received: {type(model).__name__}. "
            "keras_addrnn.quantization.quantize makes one of a Keras model."
        )
    if batch_size is not None:
        batch_size = _validation.integer("batch_size", batch_size, 1, _validation.INT32_MAX)
    path = None if path is None else checked_path(path)

    affine, graph = model.inputs, Graph()
    values = graph.input(
        "inputs", affine.dtype, (batch_size, None, model.features), affine.scale, affine.zero_point
    )
    masks = graph.input("mask", bool, (batch_size, None)) if mask else ABSENT
    for layer in model.layers:
        if isinstance(layer, IntegerDense):
            values = graph.dense(layer, values)
        else:
            outputs, state = graph.add_gru(layer, values, mask=masks)
            values = outputs if layer.return_sequences else state
    graph.output("outputs", values)
    content = graph.content({"ops": "integer", "version": __version__})
    if path is not None:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    return content


class Graph:
    """A LiteRT file in the making. Tensors go by their indices; a size of None stays open."""

    def __init__(self):
        self._model = schema.ModelT()
        self._model.version = 3
        self._model.description = "keras_addrnn integer model"
        self._model.buffers = [schema.BufferT()]  # the first is empty, by definition
        self._model.operatorCodes = []
        self._graph = schema.SubGraphT()
        self._graph.name = "main"
        self._graph.tensors, self._graph.operators = [], []
        self._graph.inputs, self._graph.outputs = [], []
        self._model.subgraphs = [self._graph]
        self._names = [], []  # of the inputs and outputs

    def input(self, name, dtype, shape, scale=None, zero_point=0):
        """Adds an input of the file."""
        index = self._tensor(name, dtype, shape, scale, zero_point)
        self._graph.inputs.append(index)
        self._names[0].append(name)
        return index

    def output(self, name, index):
        """Makes a tensor an output of the file."""
        self._graph.outputs.append(index)
        self._names[1].append(name)

    def add_gru(self, layer, inputs, initial_state=ABSENT, mask=ABSENT):
        """Adds an `IntegerAddGRU`; returns its outputs `[B, T, H]` and the last state `[B, H]`."""
        arrays = ("kernel", "recurrent_kernel", "bias", "kernel_shift", "recurrent_shift", "shift")
        constants = [self._constant(layer, name) for name in (*arrays, "multiplier")]
        batch, time, _ = self._shape(inputs)
        outputs, state = (
            self._tensor(f"{layer.name}/{name}", np.int16, shape, layer.state_scale)
            for name, shape in (
                ("outputs", (batch, time, layer.units)),
                ("state", (batch, layer.units)),
            )
        )
        options = _OPTIONS.pack(
            b"AGRI",
            1,
            layer.input_bits,
            bool(layer.go_backwards),
            layer.state_shift,
            layer.state_max,
            layer.candidate_min,
            layer.candidate_max,
            0,
        )
        given = [inputs, *constants, initial_state, mask]
        self._operator(OPERATOR, given, [outputs, state], options)
        return outputs, state

    def dense(self, layer, inputs):
        """Adds an `IntegerDense`; returns its outputs `[..., C]`."""
        constants = [self._constant(layer, name) for name in ("kernel", "bias")]
        shape = (*self._shape(inputs)[:-1], layer.units)
        outputs = self._tensor(f"{layer.name}/outputs", np.int32, shape, layer.scale)
        options = _OPTIONS.pack(b"AGRD", 1, layer.input_bits, 0, 0, 0, 0, 0, 0)
        self._operator(DENSE_OPERATOR, [inputs, *constants], [outputs], options)
        return outputs

    def content(self, metadata):
        """The bytes of the file, with a dict as its metadata."""
        _flatbuffer.name_inputs_and_outputs(self._model, *self._names)
        _flatbuffer.add_metadata(self._model, metadata)
        return _flatbuffer.write(self._model)

    def _shape(self, index):
        tensor = self._graph.tensors[index]
        return tuple(None if size == -1 else int(size) for size in tensor.shapeSignature)

    def _tensor(self, name, dtype, shape, scale=None, zero_point=0):
        tensor = schema.TensorT()
        tensor.name, tensor.type, tensor.buffer = name, _TYPES[np.dtype(dtype)], 0
        tensor.shape = [1 if size is None else size for size in shape]
        tensor.shapeSignature = [-1 if size is None else size for size in shape]
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = [scale]
            tensor.quantization.zeroPoint = [zero_point]
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _constant(self, layer, name):
        values = getattr(layer, name)
        if values is None:
            return ABSENT
        index = self._tensor(f"{layer.name}/{name}", values.dtype, values.shape)
        self._graph.tensors[index].buffer = len(self._model.buffers)
        buffer = schema.BufferT()
        little_endian = values.astype(values.dtype.newbyteorder("<"))
        buffer.data = np.frombuffer(little_endian.tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        return index

    def _operator(self, name, inputs, outputs, options):
        node = schema.OperatorT()
        node.opcodeIndex = self._code(name)
        node.inputs, node.outputs = inputs, outputs
        node.customOptions = np.frombuffer(options, np.uint8)
        self._graph.operators.append(node)

    def _code(self, name):
        codes = self._model.operatorCodes
        for index, code in enumerate(codes):
            if code.customCode == name:
                return index
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode, code.version = name, 1
        codes.append(code)
        return len(codes) - 1
