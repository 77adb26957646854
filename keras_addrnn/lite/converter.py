"""Keras model to LiteRT file (`.tflite`), of builtin operators only."""

import contextlib
import operator
import pathlib
import re

import keras

from keras_addrnn.files import replacing
from keras_addrnn.layers import AddGRUCell
from keras_addrnn.ops.add_gru import AddGruSequence, AddGruStep


def convert(model, path=None, *, batch_size=1):
    """Converts a Keras model to a LiteRT flatbuffer that every LiteRT and TFLite runtime can run.

    The file holds builtin operators and nothing else: no custom operator, and none of TensorFlow's
    own ("Flex", "select TF ops"). Whatever their `implementation`, AddGRU layers are converted in
    the composed form: one `WHILE` operator, or all steps one by one with `unroll=True`.

    The batch axis gets a fixed size, since the converter has to know the size of a loop's state. A
    time axis of unknown length stays open: set it with `Interpreter.resize_tensor_input`.

    Args:
        model: Built Sequential or functional `keras.Model`, on Keras' TensorFlow backend.
        path: Where to write the file too; it is replaced whole or not at all. None for nowhere.
        batch_size: Size of the batch axis of all inputs, a positive integer.

    Returns:
        The flatbuffer, `bytes`.

    Raises:
        TypeError: `model` is not a Keras model, or `batch_size` not an integer.
        ValueError: The model is not built, not symbolic or stateful, its inputs fix another batch
            size, Keras runs on another backend, or a part of the model has no builtin operator.

    Example:

    >>> content = keras_addrnn.lite.convert(model, "model.tflite")
    >>> interpreter = ai_edge_litert.interpreter.Interpreter("model.tflite")
    """
    _require_tensorflow()
    inputs = _inputs(model)
    _refuse_stateful(model)
    batch_size = _checked_batch_size(batch_size, inputs)
    path = _checked_path(path)

    import tensorflow as tf  # not at the top: the package is of use without it too

    # A Sequential has one input and, until it is called, no `input`.
    structure = inputs[0] if isinstance(model, keras.Sequential) else model.input

    @tf.function(
        input_signature=[
            tf.TensorSpec((batch_size, *tensor.shape[1:]), tensor.dtype, tensor.name)
            for tensor in inputs
        ],
        autograph=False,
    )
    def serve(*tensors):
        return model(keras.tree.pack_sequence_as(structure, tensors), training=False)

    with _composed(model):
        concrete = serve.get_concrete_function()
    # Given the function to track, the converter freezes the graph. Given the Keras model it
    # loses the weights, given a tf.Module it shuffles the outputs, and says nothing.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], serve)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        content = converter.convert()
    except Exception as error:  # of whatever type the failing pass raises
        raise ValueError(
            f"Model '{model.name}' does not convert to builtin LiteRT operators: "
            f"{_reason(str(error), model)}"
        ) from error
    if custom := _custom_operators(content):
        raise ValueError(
            f"Model '{model.name}' does not convert to builtin LiteRT operators: {_needs(custom)}"
        )
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


def _checked_batch_size(batch_size, inputs):
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
def _composed(model):
    """Has the whole model run composed, for a fused operator is not a builtin one."""
    kinds = (AddGRUCell, AddGruSequence, AddGruStep)
    layers = model._flatten_layers()
    parts = [part for layer in layers for part in (layer, *getattr(layer, "operations", ()))]
    before = [(part, part.implementation) for part in parts if isinstance(part, kinds)]
    try:
        for part, _ in before:
            part.implementation = "composed"
        yield
    finally:
        for part, implementation in before:
            part.implementation = implementation


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


def _custom_operators(content):
    """The names of the file's operators that are not builtin; Flex operators are among them."""
    from tensorflow.lite.python import schema_py_generated as schema

    file = schema.Model.GetRootAsModel(content, 0)
    codes = [file.OperatorCodes(index) for index in range(file.OperatorCodesLength())]
    return [
        code.CustomCode().decode()
        for code in codes
        if code.BuiltinCode() == schema.BuiltinOperator.CUSTOM
    ]
