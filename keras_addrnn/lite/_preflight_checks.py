"""Checks before the converter runs, which would fail later and say less."""

import keras
import numpy as np

from keras_addrnn import _keras_private
from keras_addrnn.lite import _diagnostics
from keras_addrnn.quantization import _quantization_aware

# Layers without int16 operators that the converter does not name.
_NO_INT16 = (keras.layers.Embedding, keras.layers.Masking)


def check(model, ops, quantize):
    """Raises a `ValueError` if a model cannot be converted with the arguments of `convert`."""
    _check_training(model)
    _check_types(model, ops)
    _check_weights(model, quantize)
    if quantize == "int16x8":
        _check_int16(model)


def _check_training(model):
    if _quantization_aware.is_aware(model):
        raise ValueError(
            f"Model '{model.name}' is quantization-aware, for a file of integers. Convert what "
            "keras_addrnn.quantization.quantize(model) returns, by addrnn.lite.convert_integer."
        )


def _check_types(model, ops):
    """Refuses layers that compute in other types than LiteRT's kernels do."""
    for layer in _keras_private.flatten_layers(model):
        if isinstance(layer, keras.layers.InputLayer) or getattr(layer, "inputs", None):
            continue  # they compute nothing themselves, whatever the policy they were made under
        if layer.compute_dtype in ("float16", "bfloat16", "float64"):
            raise _diagnostics.conversion_error(
                model,
                ops,
                f"layer '{layer.name}' computes in {layer.compute_dtype}, where they need float32. "
                "Build the model under the float32 policy, and give it the weights: "
                "built_anew.set_weights(model.get_weights()).",
            )


def _check_weights(model, quantize):
    """Refuses weights that the smaller type cannot hold."""
    if quantize is None:
        return
    for weight in model.weights:
        values = keras.ops.convert_to_numpy(weight)
        if values.dtype.kind != "f":
            continue
        largest = np.abs(values).max(initial=0)
        if not np.isfinite(largest):
            raise ValueError(
                f"quantize={quantize!r} needs finite weights. Received: '{weight.path}' with NaN "
                "or inf. Train the model anew."
            )
        if quantize == "float16" and largest > np.finfo(np.float16).max:
            raise ValueError(
                "quantize='float16' needs weights of at most 65504. Received: "
                f"'{weight.path}' with {largest:g}. Use quantize=\"dynamic\"."
            )


def _check_int16(model):
    for layer in _keras_private.flatten_layers(model):
        if isinstance(layer, _NO_INT16):
            raise ValueError(
                f"quantize=\"int16x8\" does not convert '{layer.name}' ({type(layer).__name__}): "
                'LiteRT has no int16 for words and masks. Use quantize="dynamic" or "int8".'
            )
