"""Checks the tensors, chooses between the fused and the composed implementation, and calls it.

The layers call this directly, as they know more than the public functions ask for: whether a
gradient will follow, recurrent dropout, unrolling.
"""

import keras

from keras_addrnn import _exporting
from keras_addrnn.ops import _composed, _fused, _lowering, _validation


def sequence(
    inputs,
    kernel,
    recurrent_kernel,
    bias,
    initial_state,
    mask,
    *,
    gate,
    go_backwards,
    implementation,
    training=False,
    return_sequences=True,
    unroll=False,
    recurrent_dropout_mask=None,
):
    """`add_gru` with a `Gate`.

    Args:
        training: Whether a gradient will follow. The fused op then keeps what its gradient needs,
            and computes that anew otherwise.
        return_sequences: Whether the states after each step are wanted. The composed implementation
            returns None for them if not.
        unroll, recurrent_dropout_mask: As in `composed.add_gru`; only the composed implementation
            knows them.
    """
    tensors = as_tensors(inputs, kernel, recurrent_kernel, bias, initial_state, mask)
    _validation.sequence_tensors(*tensors)
    inputs, kernel, recurrent_kernel, bias, initial_state, mask = tensors
    if mask is not None:
        mask = keras.ops.cast(mask, "bool")
    settings = {"gate": gate, "go_backwards": go_backwards}
    tensors = (inputs, kernel, recurrent_kernel, bias, initial_state, mask)
    lowering = _lowering.current()
    if lowering is not None:
        implementation = "auto" if lowering.fused_operator else "composed"
        unroll = unroll or lowering.integer_operations
    composed_only = unroll or recurrent_dropout_mask is not None
    if not composed_only and uses_fused(implementation, inputs.dtype, gate):
        return _fused.add_gru(*tensors, **settings, training=bool(training))

    if initial_state is None:
        batch = keras.ops.shape(inputs)[0]
        initial_state = keras.ops.zeros((batch, recurrent_kernel.shape[0]), inputs.dtype)
    return _composed.add_gru(
        inputs,
        kernel,
        recurrent_kernel,
        bias,
        initial_state,
        mask,
        **settings,
        return_sequences=return_sequences,
        unroll=unroll,
        recurrent_dropout_mask=recurrent_dropout_mask,
    )


def step(
    inputs,
    state,
    kernel,
    recurrent_kernel,
    bias,
    *,
    gate,
    implementation,
    training=False,
    recurrent_dropout_mask=None,
):
    """`add_gru_step` with a `Gate`; see `sequence`."""
    tensors = as_tensors(inputs, state, kernel, recurrent_kernel, bias)
    _validation.step_tensors(*tensors)
    if _lowering.current() is not None:
        return _composed.step(*tensors, gate=gate, recurrent_dropout_mask=recurrent_dropout_mask)
    if recurrent_dropout_mask is None and uses_fused(implementation, tensors[0].dtype, gate):
        return _fused.add_gru_step(*tensors, gate=gate, training=bool(training))
    _exporting.refuse_step_in_loop()
    return _composed.step(*tensors, gate=gate, recurrent_dropout_mask=recurrent_dropout_mask)


def uses_fused(implementation, dtype, gate):
    """Whether the fused op is the one to run here and now.

    Raises:
        ValueError: `implementation="fused"`, and it cannot run; says why and what to do.
    """
    if implementation == "composed":
        return False
    forced = implementation == "fused"
    reason = _fused.why_not(
        keras.backend.standardize_dtype(dtype),
        gate,
        exporting_is_fine=forced or _lowering.current() is not None,
    )
    if reason and forced:
        raise ValueError(f'implementation="fused" cannot be used: {reason}')
    return reason is None


def as_tensors(*values):
    """Each value as a tensor of the backend; None and symbolic tensors stay what they are."""
    return tuple(
        value if value is None or isinstance(value, keras.KerasTensor) else _as_tensor(value)
        for value in values
    )


def _as_tensor(value):
    tensor = keras.ops.convert_to_tensor(value)
    # A variable of TensorFlow's own, which Keras takes for a tensor: read it.
    return tensor if hasattr(tensor, "ndim") else keras.ops.copy(tensor)
