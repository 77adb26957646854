"""Whether a trace is for an export. Neither Keras nor TensorFlow says so: look who is calling."""

import sys

import keras

# Modules that trace a model for a process which may not have this package.
_EXPORTERS = (
    "keras.src.export.",
    "keras_addrnn.lite.",
    "tensorflow.lite.python.",
    "tensorflow.python.saved_model.save.",
)
_TO_LITERT = ("keras.src.export.litert.",)


def exporting():
    """Whether what is traced goes into a file."""
    return _called_by(_EXPORTERS)


def exporting_to_litert():
    """Whether `model.export(path, format="litert")` of Keras is what is traced for."""
    return _called_by(_TO_LITERT)


def refuse_step_in_loop():
    """Refuses a step in a loop that Keras exports to LiteRT, as it would take TensorFlow's kernels.

    Raises:
        ValueError: The step is in such a loop.
    """
    if keras.backend.backend() != "tensorflow":
        return

    import tensorflow as tf

    if tf.executing_eagerly():
        return

    from tensorflow.python.ops import control_flow_util_v2

    if control_flow_util_v2.in_while_loop_defun(tf.compat.v1.get_default_graph()):
        if exporting_to_litert():
            raise ValueError(
                "keras.layers.RNN(AddGRUCell) needs TensorFlow's own kernels when Keras exports it "
                "to LiteRT. Use keras_addrnn.lite.convert(model, path), or AddGRU in its place."
            )


def _called_by(modules):
    frame = sys._getframe()
    while frame is not None:
        caller = frame.f_globals.get("__name__", "") + "."
        if caller.startswith(modules):
            return True
        frame = frame.f_back
    return False
