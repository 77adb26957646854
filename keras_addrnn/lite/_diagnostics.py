"""Why a model does not convert: one sentence for what may be pages of the converter's."""

import re

import keras

from keras_addrnn.ops import _fused


def why_not_fused(model):
    """Why a converted model has no fused operator, and what to do."""
    if problem := _fused.missing():
        return f'ops="fused" needs the project\'s fused op for TensorFlow: {problem}'
    return (
        f"Model '{model.name}' has nothing to fuse: it has no AddGRU layer, or only such as have "
        "no fused kernel (unroll=True, or another activation than linear, relu, hard_tanh and "
        'tanh). Use ops="builtin".'
    )


def failure(model, ops, reason):
    """The error of a model that does not convert, for a reason."""
    kinds = "builtin" if ops == "builtin" else "builtin and AddGru"
    return ValueError(
        f"Model '{model.name}' does not convert to {kinds} LiteRT operators: {reason}"
    )


def open_axes_failure(model, problem):
    """What is wrong with the file at some lengths, and what to do."""
    names = [
        f"'{layer.name}'"
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.TimeDistributed)
    ]
    distributed = (
        f" Or do without TimeDistributed ({', '.join(names)}), which goes wrong in TensorFlow's "
        "graphs: Dense and many other layers treat each step by itself anyway, with its weights."
        if names
        else ""
    )
    return (
        f"Model '{model.name}' does not convert with an open number of steps: {problem}. Build it "
        f"anew with a keras.Input that fixes their number, and set_weights.{distributed}"
    )


def reason(message):
    """One sentence for what may be pages of the converter's."""
    if unknown := re.findall(r"16x8-bit not yet supported for op: '(\w+)'", message):
        names = ", ".join(sorted(set(unknown)))
        return f'LiteRT has no int16 for {names}. Use quantize="dynamic" or "int8".'
    if "Max and min for dynamic tensors should be recorded" in message:
        return (
            "LiteRT has no int16 for what is computed in integers, such as words and masks. Use "
            'quantize="dynamic" or "int8".'
        )
    if unknown := re.findall(r"'tf\.(\w+)' op is neither a custom op nor a flex op", message):
        return needs(unknown)
    errors = re.findall(r"error: (.+)", message) or message.strip().splitlines()
    return errors[0] if errors else "the converter says no more."


def needs(operators):
    """The reason of a model that needs operators that LiteRT does not have."""
    return (
        f"it needs {', '.join(sorted(set(operators)))}. Compute that part outside the model, or "
        "with other layers."
    )
