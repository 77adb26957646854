"""Keras model to LiteRT file (`.tflite`)."""

import operator

import keras

import keras_addrnn
from addrnn import _libraries
from addrnn._atomic_file import checked_path, replacing
from addrnn.model import IntegerModel
from keras_addrnn.lite import (
    _converter_process,
    _diagnostics,
    _open_axes,
    _preflight_checks,
    _representative_data,
)
from keras_addrnn.lite import _signature as signatures
from keras_addrnn.lite import _trace as traces
from keras_addrnn.ops import _fused

_QUANTIZE = ("float16", "dynamic", "int8", "int16x8")
_INTEGERS = ("int8", "int16x8")


def convert(
    model, path=None, *, ops="builtin", quantize=None, batch_size=1, representative_data=None
):
    """Converts a Keras model to a LiteRT flatbuffer.

    With `ops="builtin"` every LiteRT and TFLite runtime can run the file: it holds builtin
    operators and nothing else, no custom operator, and none of TensorFlow's own ("Flex", "select TF
    ops"). AddGRU layers become one `WHILE` operator, or all steps one by one with `unroll=True`.

    With `ops="fused"` each AddGRU layer, and each `ops.add_gru`, becomes one `AddGru` operator,
    which is faster. `addrnn.lite.Interpreter` runs the file, and so does any other
    interpreter that loads our delegate. What has no fused kernel stays builtin: `unroll=True`,
    other activations than linear, relu, hard_tanh and tanh, `keras.layers.RNN(AddGRUCell)`. The
    layers' own `implementation` has no say in either form.

    A time axis of unknown length stays open: set it with `Interpreter.resize_tensor_input`. Such a
    file is tried at two lengths first, and refused where it answers otherwise than the model. The
    batch axis gets a fixed size, since the converter has to know the size of a loop's state; in a
    fused model without loops it may stay open too.

    `quantize` makes the file smaller:

    - `"float16"`: weights in float16; what is computed is float32.
    - `"dynamic"`: weights in int8 with a scale for each unit. With `ops="builtin"` matrix products
      are computed in int8, with a range found at each call; all else, and all of an `AddGru`
      operator, in float32.
    - `"int8"`, `"int16x8"`: weights in int8; AddGRU is computed in int8, or in int16. What else has
      no int8 stays float32, and what has no int16 is refused; inputs and outputs are float32. Steps
      are written out one by one, so their number must be fixed. Only with `ops="builtin"`, an
      activation that has a fused kernel, and `representative_data`: what goes beyond the ranges met
      in it is cut off.

    A stateful layer's state becomes an input and an output of the file, both named
    `"<layer>_state"`: zeros for a new sequence, then what came out of the call before.

    The file has one signature, with the names of the model's inputs and outputs (the keys, where
    they are a dict), and metadata named "keras_addrnn" with our version, `ops` and `quantize`. The
    same model and data give the same bytes.

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
        batch_size: Size of the batch axis of all inputs, a positive integer; or None, with
            `ops="fused"`, to leave it open.
        representative_data: Samples of the inputs along the first axis: an array, or a list or dict
            of arrays, as for `model.predict`; in a dict, under the names of the signature. Some
            hundred are enough. Used for `"int8"` and `"int16x8"`, and for the shapes and types of
            a subclassed model's inputs. States are not among them: those of stateful layers go on
            from batch to batch, as in `model.predict`.

    Returns:
        The flatbuffer, `bytes`.

    Raises:
        TypeError: `model` is not a Keras model, `batch_size` not an integer, or
            `representative_data` not of arrays.
        ValueError: The model's inputs are unknown or do not fit `batch_size` or
            `representative_data`, Keras runs on another backend, a part of the model has no
            operator, `ops="fused"` and there is nothing to fuse, or what `quantize` needs is
            missing.

    Example:

    >>> content = keras_addrnn.lite.convert(model, "model.tflite", ops="fused")
    >>> interpreter = addrnn.lite.Interpreter("model.tflite")
    """
    _require_tensorflow()
    if not isinstance(model, keras.Model):
        remedy = ""
        if isinstance(model, IntegerModel):
            remedy = " Use addrnn.lite.convert_integer for an integer model."
        raise TypeError(
            f"Argument `model` must be a keras.Model. Received: {type(model).__name__}.{remedy}"
        )
    ops = _checked_ops(ops)
    quantize = _checked_quantize(quantize, ops)
    batch_size = _checked_batch_size(batch_size, ops)
    path = None if path is None else checked_path(path)
    data = _representative_data.as_arrays(representative_data)
    _preflight_checks.check(model, ops, quantize)
    signature = signatures.of(model, batch_size, data)
    arrays = None if data is None else _representative_data.in_order(data, signature)

    content = _converted(model, signature, ops, quantize, arrays)
    if path is not None:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    return content


def _converted(model, signature, ops, quantize, arrays):
    from addrnn.lite import _flatbuffer  # TensorFlow's: see the package's docstring
    from keras_addrnn.lite import _operator_weights  # TensorFlow's: see the package's docstring

    batches = None
    if quantize in _INTEGERS:
        batches = _batches(signature, quantize, arrays)
    trace = traces.trace(model, signature, ops, quantize)
    if quantize in _INTEGERS and trace.has_loop():
        raise ValueError(
            f"quantize=\"{quantize}\" converts no loops, and model '{model.name}' has one that is "
            'not that of a recurrent layer. Use quantize="dynamic".'
        )
    if quantize in _INTEGERS and signature.states:
        batches = _representative_data.with_states(batches, signature, trace.function)
    file = _file(model, trace, ops, quantize, batches)
    if any(None in tuple(spec.shape) for spec in signature.input_specs):
        # The quantised file is made as the other is, whose numbers are those of the model.
        plain = file if quantize is None else _file(model, trace, ops, None)
        problem = _open_axes.why_wrong(trace, _flatbuffer.write(plain), signature.input_specs)
        if problem is not None:
            raise ValueError(_diagnostics.open_axes_failure(model, problem))
    _operator_weights.quantize(file, quantize)
    _flatbuffer.name_inputs_and_outputs(file, signature.input_names, trace.output_names)
    facts = {"ops": ops, "quantize": quantize, "version": keras_addrnn.__version__}
    _flatbuffer.add_metadata(file, facts)
    return _flatbuffer.write(file)


def _file(model, trace, ops, quantize, batches=None):
    """What the converter makes of a trace, checked: `schema.ModelT`."""
    from addrnn.lite import _flatbuffer

    try:
        content = _converter_process.convert(
            trace.graph,
            trace.inputs,
            trace.outputs,
            quantize=quantize,
            library=str(_libraries.TENSORFLOW_OP)
            if ops == "fused" and not _fused.missing()
            else None,
            batches=batches,
        )
    except _converter_process.ConversionError as error:
        raise _diagnostics.failure(model, ops, _diagnostics.reason(str(error))) from error
    file = _flatbuffer.read(content)
    custom = set(_flatbuffer.custom_operators(file))
    if others := custom - ({_flatbuffer.OPERATOR} if ops == "fused" else set()):
        raise _diagnostics.failure(model, ops, _diagnostics.needs(others))
    if variables := _flatbuffer.variables(file):
        raise _diagnostics.failure(model, ops, _diagnostics.needs(variables))
    if ops == "fused" and not custom:
        raise ValueError(_diagnostics.why_not_fused(model))
    try:
        _flatbuffer.finish_operators(file)
    except ValueError as error:
        raise _diagnostics.failure(model, ops, _diagnostics.reason(str(error))) from error
    return file


def _batches(signature, quantize, arrays):
    """What the converter runs the model on, to see the ranges."""
    if arrays is None:
        raise ValueError(
            f'quantize="{quantize}" needs samples of the inputs, for the ranges of everything that '
            "is computed. Give some hundred as `representative_data`."
        )
    for name, spec in zip(signature.input_names, signature.input_specs, strict=True):
        if None in tuple(spec.shape):
            sizes = ", ".join("steps" if size is None else str(size) for size in spec.shape[1:])
            raise ValueError(
                f'quantize="{quantize}" writes the steps out one by one, so the model must fix '
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


def _checked_ops(ops):
    if ops not in ("builtin", "fused"):
        raise ValueError(f'Argument `ops` must be "builtin" or "fused". Received: ops={ops!r}')
    return ops


def _checked_quantize(quantize, ops):
    if quantize is not None and quantize not in _QUANTIZE:
        raise ValueError(
            f"Argument `quantize` must be None or one of {_QUANTIZE}. Received: "
            f"quantize={quantize!r}"
        )
    if ops == "fused" and quantize in _INTEGERS:
        raise ValueError(
            f'quantize="{quantize}" is of no use with ops="fused": the operator computes in '
            'float32. Use quantize="dynamic", for int8 weights, or ops="builtin".'
        )
    return quantize


def _checked_batch_size(batch_size, ops):
    if batch_size is None and ops == "fused":
        return None
    if isinstance(batch_size, bool):
        raise TypeError("Argument `batch_size` must be an integer. Received: batch_size=True")
    try:
        size = operator.index(batch_size)
    except TypeError:
        raise TypeError(
            f"Argument `batch_size` must be an integer. Received: batch_size={batch_size!r}"
        ) from None
    if size < 1:
        raise ValueError(f"Argument `batch_size` must be positive. Received: batch_size={size}")
    return size
