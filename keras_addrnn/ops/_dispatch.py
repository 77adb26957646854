"""Checks the tensors, chooses between the fused and the composed implementation, and calls it.

The layers call this directly, as they know more than the public functions ask for: whether a
gradient will follow, recurrent dropout, unrolling.
"""

import keras

from addrnn.gate import Gate
from addrnn.sequence import SequenceTensors
from addrnn.window_sequence import WindowTensors
from keras_addrnn import _keras_private
from keras_addrnn.ops import _arguments, _composed, _fused, _lowering, _min_composed


def sequence(
    tensors: SequenceTensors,
    *,
    gate: Gate,
    go_backwards: bool,
    implementation: str,
    training=False,
    return_sequences: bool = True,
    unroll: bool = False,
    recurrent_dropout_mask=None,
):
    """`add_gru` of a structure of tensors and a `Gate`.

    With `training` a gradient will follow, for which the fused op keeps what it would compute anew
    otherwise. The rest of the settings are those of `_composed.add_gru`.
    """
    tensors = as_tensors(tensors)
    _arguments.tensors(tensors)
    tensors = _with_boolean_mask(tensors)
    implementation = _as_lowered(implementation)
    lowering = _lowering.current()
    unroll = unroll or (lowering is not None and lowering.integer_operations)
    composed_only = _fused.COMPOSED_ONLY if unroll or recurrent_dropout_mask is not None else None
    if uses_fused(implementation, tensors.inputs.dtype, gate, composed_only):
        return _fused.run(tensors, gate=gate, go_backwards=go_backwards, training=bool(training))
    return _composed.add_gru(
        tensors,
        gate=gate,
        go_backwards=go_backwards,
        return_sequences=return_sequences,
        unroll=unroll,
        recurrent_dropout_mask=recurrent_dropout_mask,
    )


def window_sequence(
    tensors: WindowTensors,
    *,
    gate: Gate,
    go_backwards: bool,
    implementation: str,
    training=False,
    return_sequences: bool = True,
):
    """`min_add_gru` of a structure of tensors and a `Gate`; see `sequence`.

    Without `return_sequences` the outputs may be None.
    """
    tensors = as_tensors(tensors)
    _arguments.window_tensors(tensors)
    tensors = _with_boolean_mask(tensors)
    implementation = _as_lowered(implementation)
    if uses_fused(implementation, tensors.inputs.dtype, gate):
        return _fused.run_window(
            tensors, gate=gate, go_backwards=go_backwards, training=bool(training)
        )
    return _min_composed.min_add_gru(
        tensors, gate=gate, go_backwards=go_backwards, return_sequences=return_sequences
    )


def step(
    tensors: SequenceTensors,
    *,
    gate: Gate,
    implementation: str,
    training=False,
    recurrent_dropout_mask=None,
):
    """`add_gru_step` of a structure of tensors and a `Gate`; see `sequence`."""
    tensors = as_tensors(tensors)
    _arguments.tensors(tensors, one_step=True)
    lowering = _lowering.current() is not None
    if not lowering:
        composed_only = None if recurrent_dropout_mask is None else _fused.COMPOSED_ONLY
        if uses_fused(implementation, tensors.inputs.dtype, gate, composed_only):
            return _fused.run(tensors, gate=gate, go_backwards=False, training=bool(training))[1]
        _refuse_step_in_exported_loop()
    return _composed.step(tensors, gate=gate, recurrent_dropout_mask=recurrent_dropout_mask)


def uses_fused(implementation: str, dtype, gate: Gate, composed_only: str | None = None) -> bool:
    """Whether the fused op is the one to run here and now.

    `composed_only` is the reason why the call asks for more than the op knows, or None. Raises a
    `ValueError` where the op is demanded and cannot run.
    """
    if implementation == "composed":
        return False
    demanded, lowering = implementation == "fused", _lowering.current() is not None
    dtype = keras.backend.standardize_dtype(dtype)
    reason = composed_only
    if reason is None:
        reason = _fused.why_not(dtype, gate, demanded=demanded, lowering=lowering)
    if reason and demanded:
        raise ValueError(f'implementation="fused" cannot be used: {reason}')
    return reason is None


def _as_lowered(implementation):
    """The implementation, which a conversion decides in place of the caller."""
    lowering = _lowering.current()
    if lowering is None:
        return implementation
    return "auto" if lowering.fused_operator else "composed"


def _with_boolean_mask(tensors):
    if tensors.mask is None:
        return tensors
    return tensors._replace(mask=keras.ops.cast(tensors.mask, "bool"))


def as_tensors(values):
    """Each value as a tensor of the backend; None and symbolic tensors stay what they are."""
    return values.map(_as_tensor)


def _as_tensor(value):
    if isinstance(value, keras.KerasTensor):
        return value
    tensor = keras.ops.convert_to_tensor(value)
    # A variable of TensorFlow's own, which Keras takes for a tensor: read it.
    return tensor if hasattr(tensor, "ndim") else keras.ops.copy(tensor)


def _refuse_step_in_exported_loop():
    """Refuses a step in a loop that Keras exports to LiteRT: it would take TensorFlow's kernels."""
    if keras.backend.backend() != "tensorflow":
        return

    import tensorflow as tf

    if tf.executing_eagerly() or not _keras_private.in_while_loop():
        return
    if _keras_private.exporter() == "litert":
        raise ValueError(
            "keras.layers.RNN(AddGRUCell) needs TensorFlow's own kernels when Keras exports it "
            "to LiteRT. Use keras_addrnn.lite.convert(model, path), or AddGRU in its place."
        )
