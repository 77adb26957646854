"""Keras model to LiteRT file (`.tflite`)."""

import os
from typing import Any

import keras

from addrnn import _libraries, _validation
from addrnn._atomic_file import checked_path, replacing
from addrnn._version import __version__
from addrnn.model import IntegerModel
from keras_addrnn.lite import (
    _converter_process,
    _diagnostics,
    _open_axes,
    _preflight_checks,
    _representative_data,
    _signature,
    _trace,
)
from keras_addrnn.lite._trace import INTEGERS
from keras_addrnn.ops import _fused

_OPS = ("builtin", "fused")
_QUANTIZE = (None, "float16", "dynamic", *INTEGERS)


def convert(
    model: keras.Model,
    path: str | os.PathLike[str] | None = None,
    *,
    ops: str = "builtin",
    quantize: str | None = None,
    batch_size: int | None = 1,
    representative_data: Any = None,
) -> bytes:
    """Converts a Keras model to a LiteRT flatbuffer.

    With `ops="builtin"` every LiteRT and TFLite runtime can run the file: it holds builtin
    operators and nothing else, no custom operator, and none of TensorFlow's own ("Flex", "select TF
    ops"). AddGRU layers become one `WHILE` operator, or all steps one by one with `unroll=True`.
    MinAddGRU layers become some operators for all steps at once, without a loop if the number of
    steps is fixed.

    With `ops="fused"` each AddGRU layer, and each `ops.add_gru`, becomes one `AddGru` operator,
    which is faster; each MinAddGRU layer, and `ops.min_add_gru`, one `MinAddGru`.
    `addrnn.lite.Interpreter` runs the file, and so does any other interpreter that loads our
    delegate. What has no fused kernel stays builtin: `unroll=True`, other activations than linear,
    relu, hard_tanh and tanh, `keras.layers.RNN(AddGRUCell)`. The layers' own `implementation` has
    no say in either form.

    A time axis of unknown length stays open: set it with `Interpreter.resize_tensor_input`. Such a
    file is tried at two lengths first, and refused where it answers otherwise than the model. The
    batch axis gets a fixed size, since the converter has to know the size of a loop's state; in a
    model without loops it may stay open too.

    `quantize` makes the file smaller:

    - `"float16"`: weights in float16; all computation in float32.
    - `"dynamic"`: weights in int8 with a scale for each unit. With `ops="builtin"` matrix products
      are computed in int8, with a range found at each call; all else, and all of an `AddGru` or
      `MinAddGru` operator, in float32.
    - `"int8"`, `"int16x8"`: weights in int8; AddGRU and MinAddGRU are computed in int8, or in
      int16. What else has no int8 stays float32, and what has no int16 is refused; inputs and
      outputs are float32. AddGRU's steps are written out one by one, and no loop is converted, so
      the number of steps must be fixed. Only with `ops="builtin"`, an activation that has a fused
      kernel, and `representative_data`: what goes beyond the ranges met in it is clipped.

    A stateful layer's state becomes an input and an output of the file, both named
    `"<layer>_state"`: zeros for a new sequence, then what came out of the call before. MinAddGRU's
    last inputs do likewise, as `"<layer>_last_inputs"`.

    The file has one signature, with the names of the model's inputs and outputs (the keys, where
    they are a dict). Its metadata named "keras_addrnn" holds our version, `ops` and `quantize`. The
    same model and data give the same bytes, except for integers of Keras' own GRU: TensorFlow's
    converter orders its operators differently from call to call. The model itself stays as it is.

    TensorFlow's converter runs in a process of its own, which takes some seconds to start the first
    time: where it crashes, that is an error and not the end of this process.

    Args:
        model: Built `keras.Model`, on Keras' TensorFlow backend. A subclassed one has been called,
            and has the input shapes of its first call, in its `input_dtype`; `representative_data`
            tells them otherwise, and has to for one with a stateful layer. Its `call` takes one
            argument, and has the defaults of others.
        path: Where to write the file too; it is replaced whole or not at all. None for nowhere.
        ops: `"builtin"` or `"fused"`.
        quantize: None, `"float16"`, `"dynamic"`, `"int8"` or `"int16x8"`.
        batch_size: Size of the batch axis of all inputs, a positive integer; or None, for a model
            without loops in the file, to leave it open.
        representative_data: Samples of the inputs along the first axis: an array, or a list or dict
            of arrays, as for `model.predict`; in a dict, under the names of the signature. Some
            hundred are enough. Used for `"int8"` and `"int16x8"`, and for the shapes and types of
            a subclassed model's inputs. States are not among them: those of stateful layers go on
            from batch to batch, as in `model.predict`.

    Returns:
        The flatbuffer, `bytes`.

    Raises:
        TypeError: `model` is not a Keras model, or `representative_data` not of arrays.
            `batch_size` is not an integer; or it is None, and a builtin file has a loop or
            `quantize` is `"int8"` or `"int16x8"`.
        ValueError: The model's inputs are unknown or do not fit `batch_size` or
            `representative_data`. Keras runs on another backend. A part of the model has no
            operator. There is nothing to fuse with `ops="fused"`, or what `quantize` needs is
            missing.

    Example:

    >>> content = keras_addrnn.lite.convert(model, "model.tflite", ops="fused")
    >>> interpreter = addrnn.lite.Interpreter("model.tflite")
    """
    _require_tensorflow()
    if not isinstance(model, keras.Model):
        remedy = ""
        if isinstance(model, IntegerModel):
            remedy = "Use addrnn.lite.convert_integer for an integer model."
        raise _validation.type_error("model", "be a keras.Model", type(model).__name__, remedy)
    _validation.one_of("ops", ops, _OPS)
    _check_quantize(quantize, ops)
    if batch_size is not None or quantize in INTEGERS:
        batch_size = _validation.integer("batch_size", batch_size, 1)
    path = None if path is None else checked_path(path)
    data = _representative_data.as_arrays(representative_data)
    _preflight_checks.check(model, ops, quantize)
    signature = _signature.signature_of(model, batch_size, data)
    arrays = None if data is None else _representative_data.in_order(data, signature)

    content = _converted(model, signature, ops, quantize, arrays)
    if path is not None:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    return content


def _converted(model, signature, ops, quantize, arrays):
    # These need the schema of LiteRT's files, which may come from TensorFlow.
    from addrnn.lite import _flatbuffer
    from keras_addrnn.lite import _fused_operators

    batches = None
    if quantize in INTEGERS:
        batches = _batches(signature, quantize, arrays)
    trace = _trace.trace(model, signature, ops, quantize)
    if quantize in INTEGERS and trace.has_loop():
        raise ValueError(
            f"quantize=\"{quantize}\" converts no loops, and model '{model.name}' has one that "
            "cannot be written out: a loop of its own, or a recurrent layer that is none of its "
            'layers. Use quantize="dynamic".'
        )
    open_batch = any(spec.shape[0] is None for spec in signature.input_specs)
    if open_batch and ops == "builtin" and trace.has_loop():
        raise _validation.type_error(
            "batch_size",
            "be a positive integer where the model has a loop: the converter has to know the size "
            "of its state",
            "batch_size=None",
            'Give one, or use ops="fused".',
        )
    if quantize in INTEGERS and signature.states:
        batches = _representative_data.with_states(batches, signature, trace.function)
    file = _file(model, trace, ops, quantize, batches)
    if any(None in tuple(spec.shape) for spec in signature.input_specs):
        # The quantized file is made as the other is, whose numbers are those of the model.
        plain = file if quantize is None else _file(model, trace, ops, None)
        problem = _open_axes.problem(trace, _flatbuffer.write(plain), signature.input_specs)
        if problem is not None:
            raise _diagnostics.open_axes_error(model, problem)
    _fused_operators.quantize_weights(file, quantize)
    _flatbuffer.name_inputs_and_outputs(file, signature.input_names, trace.output_names)
    facts = {"ops": ops, "quantize": quantize, "version": __version__}
    _flatbuffer.add_metadata(file, facts)
    return _flatbuffer.write(file)


def _file(model, trace, ops, quantize, batches=None):
    """The file that the converter makes of a trace, checked: `schema.ModelT`."""
    from addrnn.lite import _flatbuffer
    from keras_addrnn.lite import _fused_operators

    has_op = ops == "fused" and not _fused.missing()
    try:
        content = _converter_process.convert(
            trace.graph,
            trace.inputs,
            trace.outputs,
            quantize=quantize,
            library=str(_libraries.TENSORFLOW_OP) if has_op else None,
            batches=batches,
        )
    except _converter_process.ConversionError as error:
        raise _diagnostics.conversion_error(model, ops, _diagnostics.summary(str(error))) from error
    file = _flatbuffer.read(content)
    custom = set(_flatbuffer.custom_operators(file))
    if others := custom - (set(_fused_operators.KINDS) if ops == "fused" else set()):
        raise _diagnostics.conversion_error(model, ops, _diagnostics.missing_operators(others))
    if variables := _flatbuffer.variable_operators(file):
        raise _diagnostics.conversion_error(model, ops, _diagnostics.missing_operators(variables))
    if ops == "fused" and not custom:
        raise _diagnostics.nothing_fused_error(model)
    try:
        _fused_operators.finish(file)
    except ValueError as error:
        raise _diagnostics.conversion_error(model, ops, _diagnostics.summary(str(error))) from error
    return file


def _batches(signature, quantize, arrays):
    """The samples of each input, split into batches: the converter runs the model on them."""
    if arrays is None:
        raise _validation.value_error(
            "representative_data",
            f'be given with quantize="{quantize}", for the ranges of everything that is computed',
            "None",
            "Give some hundred samples of the inputs.",
        )
    for name, spec in zip(signature.input_names, signature.input_specs, strict=True):
        if None in tuple(spec.shape):
            sizes = ", ".join("steps" if size is None else str(size) for size in spec.shape[1:])
            raise ValueError(
                f'quantize="{quantize}" converts no loop over steps, so the model must fix '
                f"their number. Received: input '{name}' with shape {tuple(spec.shape)}. Build it "
                f"anew with keras.Input(({sizes}{',' * (len(spec.shape) == 2)})), and set_weights."
            )
    return [
        _representative_data.batches(array, spec.shape[0])
        for array, spec in zip(arrays, signature.model_specs, strict=True)
    ]


def _require_tensorflow():
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ValueError(
            f"Models are converted with TensorFlow, but Keras runs on '{backend}'. Save the model; "
            "with KERAS_BACKEND=tensorflow and TensorFlow installed (`pip install tensorflow`, or "
            "keras_addrnn[tensorflow]), load it and convert it."
        )


def _check_quantize(quantize, ops):
    _validation.one_of("quantize", quantize, _QUANTIZE)
    if ops == "fused" and quantize in INTEGERS:
        raise _validation.value_error(
            "quantize",
            'be None, "float16" or "dynamic" with ops="fused", which computes in float32',
            f'quantize="{quantize}"',
            'Use quantize="dynamic", for int8 weights, or ops="builtin".',
        )
