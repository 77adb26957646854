"""All names of Keras, TensorFlow and JAX that are not public, and why each is needed."""

import sys
from typing import Literal

import keras

# `keras.layers.RNN` prepares the dropout masks of a cell only if it is an instance of this class.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell as DropoutRNNCell

# What a stateful layer keeps is none of its weights, and in no file, as in `keras.layers.RNN`.
from keras.src.utils.tracking import (
    no_automatic_dependency_tracking as no_automatic_dependency_tracking,
)

# Modules that trace a model for a process which may not have this package.
_EXPORTERS = (
    "jax._src.export.",
    "jax.experimental.jax2tf.",
    "keras.src.export.",
    "tensorflow.lite.python.",
    "tensorflow.python.saved_model.save.",
)
_LITERT_EXPORTER = "keras.src.export.litert."
_WINDOWED = ("keras.src.layers.convolutional.", "keras.src.layers.pooling.")


def flatten_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layer itself, and all layers within it."""
    return list(layer._flatten_layers())


def operations(layer: keras.layers.Layer) -> list[keras.Operation]:
    """The layers and operations that make up a functional model; none of another layer."""
    return list(getattr(layer, "operations", ()))


def keras_history(tensor: keras.KerasTensor) -> tuple[keras.Operation, int, int]:
    """The operation that made a symbolic tensor, the index of its call, and that of the output."""
    return tensor._keras_history


def inbound_node(operation: keras.Operation, index: int):
    """One call of an operation in a functional model, with `input_tensors` and `outputs`."""
    return operation._inbound_nodes[index]


def nodes_by_depth(layer: keras.layers.Layer) -> dict:
    """The calls that make up a functional model, in lists by depth; empty for another layer."""
    return vars(layer).get("_nodes_by_depth", {})


def first_call_shapes(model: keras.Model) -> dict | None:
    """The shapes of the arguments that a model was first called with, if Keras has kept them."""
    return getattr(model, "_build_shapes_dict", None)


def is_windowed(layer: keras.layers.Layer) -> bool:
    """Whether a layer is one of Keras' convolutions or poolings, or derived from one."""
    return any(kind.__module__.startswith(_WINDOWED) for kind in type(layer).__mro__)


def exporter() -> Literal["litert", "other"] | None:
    """Whose export traces the graph: `model.export(path, format="litert")`, another, or none.

    Keras, TensorFlow and JAX do not say so in a public way (Keras 3.15, TensorFlow 2.21, JAX 0.10),
    so this looks for their exporters among the callers. It is asked only while a graph is traced,
    and not within `keras_addrnn.lite`, which says so itself (`ops._lowering`).
    """
    found = None
    frame = sys._getframe()
    while frame is not None:
        caller = frame.f_globals.get("__name__", "") + "."
        if caller.startswith(_LITERT_EXPORTER):
            return "litert"
        if caller.startswith(_EXPORTERS):
            found = "other"
        frame = frame.f_back
    return found


def tracing() -> bool:
    """Whether Keras' framework traces a graph: an operation then gives no numbers."""
    if keras.backend.backend() == "jax":
        import jax

        return isinstance(jax.numpy.zeros(()), jax.core.Tracer)

    import tensorflow as tf

    return not tf.executing_eagerly()


def in_while_loop() -> bool:
    """Whether TensorFlow traces the body of a loop."""
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util_v2

    return control_flow_util_v2.in_while_loop_defun(tf.compat.v1.get_default_graph())


def torch_device() -> str:
    """The device on which Keras has PyTorch compute; "meta" where it finds out shapes."""
    from keras.src.backend.torch.core import get_device

    return str(get_device())
