"""The recurrence by the project's own TensorFlow op, and whether it can run."""

import keras

from addrnn.gate import ACTIVATIONS, Gate
from addrnn.sequence import SequenceTensors
from addrnn.window_sequence import WindowTensors
from keras_addrnn import _keras_private


def run(tensors: SequenceTensors, *, gate: Gate, go_backwards: bool, training: bool):
    """As `addrnn.tensorflow.add_gru`, for tensors that fit; `[B, D]` are one step."""
    from addrnn.tensorflow import _op

    return _op.run(tensors, gate=gate, go_backwards=go_backwards, training=training)


def run_window(tensors: WindowTensors, *, gate: Gate, go_backwards: bool, training: bool):
    """As `addrnn.tensorflow.min_add_gru`, for tensors that fit."""
    from addrnn.tensorflow import _min_op

    return _min_op.run(
        tensors, activation=gate.activation, go_backwards=go_backwards, training=training
    )


def why_no_window_op() -> str | None:
    """Why there is no op for MinAddGRU, whatever its settings; None if there is one."""
    return 'it has no kernel for MinAddGRU. Use implementation="auto".'


def why_not(
    dtype: str, gate: Gate, *, demanded: bool = False, lowering: bool = False
) -> str | None:
    """Why the fused op cannot be used here and now: the reason and the remedy, or None if it can.

    An op that is demanded goes into an exported graph too, which then needs the library. One that
    `keras_addrnn.lite` lowers goes into any graph.
    """
    return missing() or why_not_for(dtype, gate) or (None if lowering else _why_not_here(demanded))


def why_not_for(dtype: str, gate: Gate) -> str | None:
    """Why the op has no kernel for a dtype and an activation; None if it has one."""
    from addrnn.tensorflow._op import DTYPES

    if dtype not in DTYPES:
        return f"it has no kernel for dtype {dtype}. Use one of {', '.join(DTYPES)}."
    if not gate.has_kernel:
        name = getattr(gate.activation, "__name__", gate.activation)
        return f"it has no activation {name!r}. Use one of {', '.join(ACTIVATIONS)}."
    return None


def missing() -> str | None:
    """Why the process has no fused op at all: one sentence, or None if it has one."""
    backend = keras.backend.backend()
    if backend != "tensorflow":
        return f"Keras runs on {backend}. Set the environment variable KERAS_BACKEND to tensorflow."

    import tensorflow as tf

    from addrnn.tensorflow import _library

    problem = _library.load().problem
    if problem is None and tf.config.get_visible_devices("GPU"):
        return (
            "a GPU is visible, and the op runs on CPUs only. "
            "Hide it: set the environment variable CUDA_VISIBLE_DEVICES to -1."
        )
    return problem


COMPOSED_ONLY = 'it knows neither unroll=True nor recurrent dropout. Use implementation="auto".'
XLA = "XLA (jit_compile=True) compiles no custom op. Use compile(jit_compile=False)."


def _why_not_here(demanded):
    """Why the op cannot go into the graph that is being traced, if any."""
    import tensorflow as tf

    if tf.executing_eagerly():
        return None
    if _keras_private.in_xla():
        return XLA
    exporter = _keras_private.exporter()
    if exporter is not None and not demanded:
        return "the model is being exported, for processes which may not have this package."
    if exporter == "litert":
        return (
            "LiteRT's converter does not know the op. Use keras_addrnn.lite.convert(model, "
            'path, ops="fused"), or implementation="auto".'
        )
    return None
