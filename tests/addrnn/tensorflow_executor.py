"""The integer layers in TensorFlow's integer operations, to check them inside TensorFlow.

Sums are int32, as the description promises that they fit; only a multiplier makes int64 of them.
`addrnn.reference` defines what is computed, and is faster.
"""

import tensorflow as tf

import addrnn


def run_layer(layer, inputs, initial_state=None, mask=None):
    """Runs an `IntegerAddGRU`; arguments and results are those of `addrnn.reference.run_layer`."""
    batch, steps, _ = inputs.shape
    state = tf.zeros((batch, layer.units), tf.int32)
    if initial_state is not None:
        state = tf.cast(initial_state, tf.int32)
    sequence = tf.transpose(tf.cast(inputs, tf.int32), (1, 0, 2))
    written = tf.ones((steps, batch), bool) if mask is None else tf.transpose(mask)
    if layer.go_backwards:
        sequence, written = sequence[::-1], written[::-1]

    def next_state(state, now):
        x, write = now
        return tf.where(write[:, None], _step(layer, x, state), state)

    if steps:
        outputs = tf.scan(next_state, (sequence, written), initializer=state)
        state = outputs[-1]
    else:
        outputs = tf.zeros((0, batch, layer.units), tf.int32)
    outputs = tf.transpose(outputs, (1, 0, 2))
    return tf.cast(outputs, tf.int16).numpy(), tf.cast(state, tf.int16).numpy()


def run_dense(layer, inputs):
    """Runs an `IntegerDense`; argument and result are those of `addrnn.reference.run_dense`."""
    rows = tf.reshape(tf.cast(inputs, tf.int32), (-1, layer.features))
    sums = rows @ tf.cast(layer.kernel, tf.int32) + layer.bias
    return tf.reshape(sums, (*inputs.shape[:-1], layer.units)).numpy()


def run_model(model, inputs, mask=None):
    """Runs an `IntegerModel`; arguments and result are those of its method `run`."""
    for layer in model.layers:
        if isinstance(layer, addrnn.IntegerDense):
            inputs = run_dense(layer, inputs)
            continue
        outputs, state = run_layer(layer, inputs, mask=mask)
        inputs = outputs if layer.return_sequences else state
    return inputs


def _step(layer, x, state):
    """One step, on int32 `[B, D]` and `[B, H]`; returns the next state."""
    s, bound = layer.state_shift, layer.update_max
    accumulator = (
        tf.bitwise.left_shift(x @ tf.cast(layer.kernel, tf.int32), _like(x, layer.kernel_shift))
        + tf.bitwise.left_shift(
            state @ tf.cast(layer.recurrent_kernel, tf.int32), _like(x, layer.recurrent_shift)
        )
        + layer.bias
    )
    if layer.multiplier is not None:
        accumulator = tf.cast(accumulator, tf.int64) * tf.cast(layer.multiplier, tf.int64)
    shift = _like(accumulator, layer.shift)
    half = _like(accumulator, (1 << layer.shift.astype("int64")) // 2)
    rounded = tf.bitwise.right_shift(accumulator + half, shift)
    update, candidate = tf.split(rounded, 2, axis=1)
    update = tf.cast(tf.clip_by_value(update, -bound, bound), tf.int32)
    candidate = tf.clip_by_value(candidate, layer.candidate_min, layer.candidate_max)
    candidate = tf.cast(candidate, tf.int32)
    kept = tf.nn.relu(state + s - tf.nn.relu(-update))
    written = tf.nn.relu(candidate + s - tf.nn.relu(update))
    return tf.minimum(kept + written - s, layer.state_max)


def _like(tensor, values):
    return tf.constant(values, tensor.dtype)
