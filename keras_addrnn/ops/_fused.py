"""The recurrence by the project's own TensorFlow op."""

import keras

from addrnn.gate import ACTIVATIONS
from addrnn.tensorflow import _library
from keras_addrnn import _exporting

DTYPES = ("float16", "bfloat16", "float32", "float64")


def why_not(dtype, gate, exporting_is_fine=False):
    """Why the fused op cannot be used here and now.

    Args:
        dtype: String, the dtype of the tensors.
        gate: `Gate`.
        exporting_is_fine: Whether the op may go into an exported graph, which then needs the
            library wherever it is loaded.

    Returns:
        One sentence with the reason and the remedy, or None if the op can be used.
    """
    problem = missing()
    if problem is not None:
        return problem
    if dtype not in DTYPES:
        return f"it has no kernel for dtype {dtype}. Use one of {', '.join(DTYPES)}."
    if not gate.has_kernel:
        name = getattr(gate.activation, "__name__", gate.activation)
        return f"it has no activation {name!r}. Use one of {', '.join(ACTIVATIONS)}."

    import tensorflow as tf

    if not tf.executing_eagerly():
        if _in_xla():
            return "XLA (jit_compile=True) compiles no custom op. Use compile(jit_compile=False)."
        if exporting_is_fine and _exporting.exporting_to_litert():
            return (
                "LiteRT's converter does not know the op. Use keras_addrnn.lite.convert(model, "
                'path, ops="fused"), or implementation="auto".'
            )
        if not exporting_is_fine and _exporting.exporting():
            return "the model is being exported, for processes which may not have this package."
    return None


def missing():
    """Why the process has no fused op at all: one sentence, or None if it has one."""
    backend = keras.backend.backend()
    if backend != "tensorflow":
        return f"Keras runs on {backend}. Set the environment variable KERAS_BACKEND to tensorflow."
    problem = _library.load().problem
    if problem is not None:
        return problem

    import tensorflow as tf

    if tf.config.get_visible_devices("GPU"):
        return (
            "a GPU is visible, and the op runs on CPUs only. "
            "Hide it: set the environment variable CUDA_VISIBLE_DEVICES to -1."
        )
    return None


def add_gru(
    inputs,
    kernel,
    recurrent_kernel,
    bias,
    initial_state,
    mask,
    *,
    gate,
    go_backwards,
    training,
):
    """The recurrence over a whole sequence, `[B, T, D]` to `[B, T, H]` and `[B, H]`.

    `training` says that a gradient will follow: the op then keeps one byte per unit and step for
    it. Gradients are right without it too, for a second forward pass.
    """
    outputs, state, _, _ = _library.load().ops.add_gru(
        inputs,
        kernel,
        recurrent_kernel,
        _or_empty(bias, inputs.dtype, 1),
        _or_empty(initial_state, inputs.dtype, 2),
        _or_empty(mask, "bool", 2),
        activation=gate.activation,
        state_shift=gate.state_shift,
        state_max=gate.upper_bound,
        go_backwards=go_backwards,
        with_reserve=training,
    )
    return outputs, state


def add_gru_step(
    inputs,
    state,
    kernel,
    recurrent_kernel,
    bias,
    *,
    gate,
    training,
):
    """One step: `inputs` `[B, D]` and `state` `[B, H]` to the new state `[B, H]`."""
    _, state = add_gru(
        inputs,
        kernel,
        recurrent_kernel,
        bias,
        state,
        None,
        gate=gate,
        go_backwards=False,
        training=training,
    )
    return state


def _or_empty(tensor, dtype, rank):
    """Absent optional inputs go to the op as tensors without elements."""
    import tensorflow as tf

    return tf.zeros([0] * rank, dtype) if tensor is None else tensor


def _in_xla():
    import tensorflow as tf

    # There is no public way to ask; Keras asks TensorFlow's internals likewise.
    from tensorflow.python.ops import control_flow_util

    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
