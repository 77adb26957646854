"""The errors of models that do not convert, in a sentence or two each."""

import re

import keras

from keras_addrnn import _keras_private
from keras_addrnn.ops import _fused


def nothing_fused_error(model):
    """The error of a model that was converted with `ops="fused"` and has no fused operator."""
    if problem := _fused.missing():
        return ValueError(f'ops="fused" needs the project\'s fused op for TensorFlow: {problem}')
    return ValueError(
        f"Model '{model.name}' has nothing to fuse: it has no AddGRU or MinAddGRU layer, or only "
        "such as have no fused kernel (unroll=True, or another activation than linear, relu, "
        'hard_tanh and tanh). Use ops="builtin".'
    )


def conversion_error(model, ops, reason):
    """The error of a model that does not convert, with a sentence that gives the reason."""
    kinds = "builtin" if ops == "builtin" else "builtin, AddGru and MinAddGru"
    return ValueError(
        f"Model '{model.name}' does not convert to {kinds} LiteRT operators: {reason}"
    )


def open_axes_error(model, problem):
    """The error of a model whose file has a problem at some lengths of an open axis."""
    names = [
        f"'{layer.name}'"
        for layer in _keras_private.flatten_layers(model)
        if isinstance(layer, keras.layers.TimeDistributed)
    ]
    distributed = (
        f" Or do without TimeDistributed ({', '.join(names)}), which goes wrong in TensorFlow's "
        "graphs: Dense and many other layers treat each step by itself anyway, with its weights."
        if names
        else ""
    )
    return ValueError(
        f"Model '{model.name}' does not convert with an open number of steps: {problem}. Build it "
        f"anew with a keras.Input that fixes their number, and set_weights.{distributed}"
    )


def summary(message):
    """One sentence for a message of TensorFlow's converter, which may have pages."""
    if unknown := re.findall(r"16x8-bit not yet supported for op: '(\w+)'", message):
        names = ", ".join(sorted(set(unknown)))
        return f'LiteRT has no int16 for {names}. Use quantize="dynamic" or "int8".'
    if "Max and min for dynamic tensors should be recorded" in message:
        return (
            "LiteRT has no int16 for what is computed in integers, such as words and masks. Use "
            'quantize="dynamic" or "int8".'
        )
    if unknown := re.findall(r"'tf\.(\w+)' op is neither a custom op nor a flex op", message):
        return missing_operators(unknown)
    errors = re.findall(r"error: (.+)", message) or message.strip().splitlines()
    return errors[0] if errors else "TensorFlow's converter says no more."


def missing_operators(operators):
    """The reason for `conversion_error` where LiteRT lacks operators."""
    return (
        f"it needs {', '.join(sorted(set(operators)))}. Compute that part outside the model, or "
        "with other layers."
    )
