"""Fused files whose weights are of 8 or 16 bits, made by hand. Knows no TensorFlow."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema


def values_of(file, name):
    """The values of a matrix of float32."""
    tensor = file.tensor(name)
    return np.frombuffer(bytes(file.model.buffers[tensor.buffer].data), "<f4").reshape(tensor.shape)


def _replace(file, name, values, dtype):
    tensor = file.tensor(name)
    tensor.type = dtype
    file.model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
    return tensor


def as_float16(file, name):
    """Returns the values that are left."""
    halves = values_of(file, name).astype("<f2")
    _replace(file, name, halves, schema.TensorType.FLOAT16)
    return halves.astype("float32")


def as_int8(file, name, by_column=True):
    """Returns the values that are left."""
    values = values_of(file, name)
    axes = tuple(range(values.ndim - 1))
    largest = np.abs(values).max(axis=axes if by_column else None, keepdims=True)
    scales = (np.maximum(largest, 1e-6) / 127).astype("float32")
    codes = np.rint(values / scales).astype(np.int8)
    tensor = _replace(file, name, codes, schema.TensorType.INT8)
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = scales.ravel()
    tensor.quantization.zeroPoint = np.zeros(scales.size, np.int64)
    tensor.quantization.quantizedDimension = len(axes) if by_column else 0
    return codes * scales


def set_values(file, name, values):
    _replace(file, name, np.asarray(values, "<f4"), schema.TensorType.FLOAT32)
