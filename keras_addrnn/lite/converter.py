"""Keras model to LiteRT file (`.tflite`)."""

import collections
import contextlib
import operator
import pathlib
import re

import keras

import keras_addrnn
from keras_addrnn.files import replacing
from keras_addrnn.layers import AddGRU, AddGRUCell
from keras_addrnn.ops import fused
from keras_addrnn.ops.add_gru import AddGruSequence, AddGruStep


def convert(model, path=None, *, ops="builtin", batch_size=1):
    """Converts a Keras model to a LiteRT flatbuffer.

    With `ops="builtin"` every LiteRT and TFLite runtime can run the file: it holds builtin
    operators and nothing else, no custom operator, and none of TensorFlow's own ("Flex", "select TF
    ops"). AddGRU layers become one `WHILE` operator, or all steps one by one with `unroll=True`.

    With `ops="fused"` each AddGRU layer, and each `ops.add_gru`, becomes one `AddGru` operator,
    which is faster. `keras_addrnn.lite.Interpreter` runs the file, and so does any other
    interpreter that loads our delegate. What has no fused kernel stays builtin: `unroll=True`,
    other activations than linear, relu, hard_tanh and tanh, `keras.layers.RNN(AddGRUCell)`. The
    layers' own `implementation` has no say in either form.

    A time axis of unknown length stays open: set it with `Interpreter.resize_tensor_input`. The
    batch axis gets a fixed size, since the converter has to know the size of a loop's state; in a
    fused model without loops it may stay open too.

    The file has one signature, with the names of the model's inputs and outputs (the keys, where
    they are a dict), and metadata named "keras_addrnn" with our version and `ops`. The same model
    gives the same bytes.

    Args:
        model: Built Sequential or functional `keras.Model`, on Keras' TensorFlow backend.
        path: Where to write the file too; it is replaced whole or not at all. None for nowhere.
        ops: `"builtin"` or `"fused"`.
        batch_size: Size of the batch axis of all inputs, a positive integer; or None, with
            `ops="fused"`, to leave it open.

    Returns:
        The flatbuffer, `bytes`.

    Raises:
        TypeError: `model` is not a Keras model, or `batch_size` not an integer.
        ValueError: The model is not built, not symbolic or stateful, its inputs fix another batch
            size, Keras runs on another backend, a part of the model has no operator, or
            `ops="fused"` and there is nothing to fuse.

    Example:

    >>> content = keras_addrnn.lite.convert(model, "model.tflite", ops="fused")
    >>> interpreter = keras_addrnn.lite.Interpreter("model.tflite")
    """
    _require_tensorflow()
    inputs = _inputs(model)
    _refuse_stateful(model)
    ops = _checked_ops(ops)
    batch_size = _checked_batch_size(batch_size, ops, inputs)
    path = _checked_path(path)

    import tensorflow as tf  # not at the top: the package is of use without it too

    from keras_addrnn.lite import flatbuffer

    # A Sequential has one input and, until it is called, no `input`.
    structure = inputs[0] if isinstance(model, keras.Sequential) else model.input
    input_names, output_names = _input_names(inputs, structure), []

    @tf.function(
        input_signature=[
            tf.TensorSpec((batch_size or tensor.shape[0], *tensor.shape[1:]), tensor.dtype, name)
            for tensor, name in zip(inputs, input_names, strict=True)
        ],
        autograph=False,
    )
    def serve(*tensors):
        outputs = model(keras.tree.pack_sequence_as(structure, tensors), training=False)
        output_names[:] = _output_names(model, outputs)
        return keras.tree.flatten(outputs)

    with _implementations(model, ops):
        concrete = serve.get_concrete_function()
    # Given the function to track, the converter freezes the graph. Given the Keras model it
    # loses the weights, given a tf.Module it shuffles the outputs, and says nothing.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], serve)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    converter.allow_custom_ops = ops == "fused"
    try:
        file = flatbuffer.read(converter.convert())
        flatbuffer.finish_operators(file)
    except Exception as error:  # of whatever type the failing pass raises
        raise _failure(model, ops, _reason(str(error), model)) from error
    custom = set(flatbuffer.custom_operators(file))
    if others := custom - ({flatbuffer.OPERATOR} if ops == "fused" else set()):
        raise _failure(model, ops, _needs(others))
    if ops == "fused" and not custom:
        raise ValueError(f"Model '{model.name}' has nothing to fuse: {_why_not_fused()}")
    flatbuffer.name_inputs_and_outputs(file, input_names, output_names)
    flatbuffer.add_metadata(file, {"ops": ops, "version": keras_addrnn.__version__})
    content = flatbuffer.write(file)
    if path is not None:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    return content


def _require_tensorflow():
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ValueError(
            f"Models are converted with TensorFlow, but Keras runs on '{backend}'. Save the model; "
            "with KERAS_BACKEND=tensorflow and TensorFlow installed (pip install "
            "keras_addrnn[tensorflow]), load it and convert it."
        )


def _inputs(model):
    """The model's symbolic inputs."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"Argument `model` must be a keras.Model. Received: {model!r}")
    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise ValueError(
            "Argument `model` must be a built Sequential or functional model. Received: "
            f"'{model.name}' with unknown inputs. Start a Sequential model with keras.Input; "
            "wrap a subclassed one in keras.Model(inputs, model(inputs))."
        )
    return inputs


def _refuse_stateful(model):
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False):
            raise ValueError(
                f"Layer '{layer.name}' is stateful, but a LiteRT file keeps no state. "
                "Build it with stateful=False; return_state=True and an initial_state make the "
                "state an output and an input of the model."
            )


def _input_names(inputs, structure):
    """The keys of a dict of inputs, or the names given to `keras.Input`."""
    if isinstance(structure, dict):
        return _keys(structure)
    # Not the tensor's own name: where none was given, that is another after saving and loading.
    return _distinct([tensor._keras_history.operation.name for tensor in inputs])


def _output_names(model, outputs):
    """The keys of a dict of outputs, or the names of the layers that they come from."""
    if isinstance(outputs, dict):
        return _keys(outputs)
    if isinstance(model, keras.Sequential):
        names = [model.layers[-1].name] * len(keras.tree.flatten(outputs))
    else:
        names = model.output_names
    return _distinct(names)


def _keys(structure):
    paths = [path for path, _ in keras.tree.flatten_with_path(structure)]
    return _distinct(["_".join(map(str, path)) for path in paths])


def _distinct(names):
    """The names, with a number where one comes again."""
    counts, distinct = collections.Counter(), []
    for name in names:
        candidate = name
        while candidate in distinct or (candidate != name and candidate in names):
            counts[name] += 1
            candidate = f"{name}_{counts[name]}"
        distinct.append(candidate)
    return distinct


def _checked_ops(ops):
    if ops not in ("builtin", "fused"):
        raise ValueError(f'Argument `ops` must be "builtin" or "fused". Received: ops={ops!r}')
    return ops


def _checked_batch_size(batch_size, ops, inputs):
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
    for tensor in inputs:
        if tensor.shape[0] not in (None, size):
            raise ValueError(
                f"Argument `batch_size` must be {tensor.shape[0]}, to which the model's input "
                f"'{tensor.name}' fixes it. Received: batch_size={size}. If nobody chose "
                "that size, Keras took it from the first batch: start the model with "
                "keras.Input, and set_weights."
            )
    return size


def _checked_path(path):
    if path is None:
        return None
    path = pathlib.Path(path)
    if path.is_dir():
        raise ValueError(f"Argument `path` must be that of a file. Received the directory: {path}")
    if not path.parent.is_dir():
        raise ValueError(f"Argument `path` must be in a directory that exists. Received: {path}")
    return path


@contextlib.contextmanager
def _implementations(model, ops):
    """Has the model run composed, or each whole sequence by the fused operator if there is one.

    Single steps are composed in both forms: there is one in a loop, which is not faster for a
    custom operator.
    """
    layers = model._flatten_layers()
    parts = [part for layer in layers for part in (layer, *getattr(layer, "operations", ()))]
    steps = [part for part in parts if isinstance(part, (AddGRUCell, AddGruStep))]
    sequences = [part for part in parts if isinstance(part, (AddGRU, AddGruSequence))]
    before = [(part, part.implementation) for part in (*steps, *sequences)]
    try:
        for part, _ in before:
            part.implementation = "composed"
        if ops == "fused":
            for part in sequences:
                part.implementation = "auto"
        with fused.exported() if ops == "fused" else contextlib.nullcontext():
            yield
    finally:
        for part, implementation in before:
            part.implementation = implementation


def _why_not_fused():
    """Why a converted model has no fused operator, and what to do."""
    if problem := fused.missing():
        return problem
    return (
        "it has no AddGRU layer, or only such as have no fused kernel (unroll=True, or another "
        'activation than linear, relu, hard_tanh and tanh). Use ops="builtin".'
    )


def _failure(model, ops, reason):
    kinds = "builtin" if ops == "builtin" else "builtin and AddGru"
    return ValueError(
        f"Model '{model.name}' does not convert to {kinds} LiteRT operators: {reason}"
    )


def _reason(message, model):
    """One sentence for what may be pages of the converter's."""
    for layer in model._flatten_layers():
        if layer.compute_dtype in ("float16", "bfloat16", "float64"):
            return (
                f"layer '{layer.name}' computes in {layer.compute_dtype}, where they need float32. "
                "Build the model under the float32 policy and load the weights into it."
            )
    if unknown := re.findall(r"'tf\.(\w+)' op is neither a custom op nor a flex op", message):
        return _needs(unknown)
    errors = re.findall(r"error: (.+)", message) or message.strip().splitlines()
    return errors[0] if errors else "the converter says no more."


def _needs(operators):
    return (
        f"it needs {', '.join(sorted(set(operators)))}. Compute that part outside the model, or "
        "with other layers."
    )
