"""Tries a file at several lengths of its open axes, beside the model.

A graph of TensorFlow, or its converter, can take an open axis for one of fixed length, and says
nothing: `keras.layers.TimeDistributed` in a graph gives the answer to one step, however many come.
"""

import keras
import numpy as np

from addrnn import _libraries
from keras_addrnn.lite import _converter_process

# The first two at which the model itself runs: one with convolutions needs its least length.
_LENGTHS = (3, 8, 32, 128, 512)
# Of the greatest value: rounding stays far below it, and the wrong length far above.
_TOLERANCE = 0.01


def problem(trace, content, specs):
    """Runs a file without quantization at several lengths and compares it with the traced model.

    Returns:
        The end of a sentence that tells the first difference, or None without one.
    """
    delegate = _libraries.LITERT_DELEGATE
    delegate = str(delegate) if delegate.is_file() else None
    tried = 0
    for length in _LENGTHS:
        inputs = [_drawn(spec, length) for spec in specs]
        expected = _answers(trace.function, inputs)
        if expected is None:
            continue
        try:
            outputs = _converter_process.run(content, inputs, delegate=delegate)
        except _converter_process.ConversionError as error:
            (line, *_) = str(error).strip().splitlines()
            return f"with a length of {length} LiteRT says: {line.rstrip('.')}"
        for name, output, value in zip(trace.output_names, outputs, expected, strict=True):
            if output.shape != value.shape:
                return (
                    f"with a length of {length} its output '{name}' has the shape {output.shape} "
                    f"instead of {value.shape}"
                )
            if not _close(output, value):
                return f"with a length of {length} its output '{name}' has other values"
        tried += 1
        if tried == 2:
            return None
    return None


def _drawn(spec, length):
    """Random numbers for an input. Its open axes have that length, an open batch one less."""
    shape = [size or length - (axis == 0) for axis, size in enumerate(spec.shape)]
    generator = np.random.default_rng(length)
    if spec.dtype.is_floating:
        return generator.uniform(-1, 1, shape).astype(spec.dtype.as_numpy_dtype)
    return generator.integers(0, 2, shape).astype(spec.dtype.as_numpy_dtype)


def _answers(function, inputs):
    """The model's own answers, eagerly; None if it does not run on such inputs."""
    import tensorflow as tf

    try:
        outputs = function(*map(tf.constant, inputs))
    except (ValueError, tf.errors.OpError):
        return None
    return [keras.ops.convert_to_numpy(value) for value in tf.nest.flatten(outputs)]


def _close(output, expected):
    if expected.dtype.kind != "f" or not np.isfinite(expected).all():
        return True  # a rounding may make another integer, or nothing of infinities
    limit = _TOLERANCE * np.abs(expected).max(initial=0)
    return bool(np.all(np.abs(output - expected) <= limit))
