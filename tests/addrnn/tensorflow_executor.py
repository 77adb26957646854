"""The integer layers in TensorFlow's integer operations, to check them inside TensorFlow.

Sums are int32, as the description promises that they fit; only a multiplier makes int64 of them.
`addrnn.reference` defines what is computed, and is faster.
"""

import tensorflow as tf

import addrnn


def run_layer(layer, inputs, initial_state=None, mask=None):
    """Runs a recurrent layer; arguments and results are those of `addrnn.reference.run_layer`."""
    if isinstance(layer, addrnn.IntegerMinAddGRU):
        return run_min_add_gru(layer, inputs, initial_state, mask)
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


def run_min_add_gru(layer, inputs, initial_state=None, mask=None, initial_inputs=None):
    """As `addrnn.reference.run_min_add_gru`, by a scan of log2(T) rounds in place of the loop."""
    batch, steps, features = inputs.shape
    sequence = tf.cast(inputs, tf.int32)
    zero = tf.constant(layer.input_zero_point)
    written = tf.ones((batch, steps, 1), bool) if mask is None else tf.constant(mask)[..., None]
    sequence = tf.where(written, sequence, zero)
    if layer.go_backwards:
        sequence, written = sequence[:, ::-1], written[:, ::-1]
    if initial_inputs is None:
        initial_inputs = tf.fill((batch, layer.kernel_size - 1, features), zero)
    sequence = tf.concat([tf.cast(initial_inputs, tf.int32), sequence], 1)
    windows = tf.concat([sequence[:, j : j + steps] for j in range(layer.kernel_size)], -1)
    kernel = tf.cast(layer.kernel.reshape(-1, 2 * layer.units), tf.int32)
    rows = tf.reshape(windows, (-1, layer.kernel_size * features))
    accumulator = tf.reshape(rows @ kernel, (batch, steps, 2 * layer.units)) + layer.bias

    update, candidate = tf.split(_rescale(layer, accumulator), 2, axis=-1)
    update = tf.cast(tf.clip_by_value(update, -layer.state_max, layer.state_max), tf.int32)
    candidate = tf.cast(tf.clip_by_value(candidate, 0, layer.candidate_max), tf.int32)
    fades = tf.where(written, tf.nn.relu(-update), 0)
    writes = tf.where(written, tf.nn.relu(candidate - tf.nn.relu(update)), 0)
    state = tf.zeros((batch, layer.units), tf.int32)
    if initial_state is not None:
        state = tf.cast(initial_state, tf.int32)
    # Of the first `2 * distance` steps each composed map is that of all of them.
    distance = 1
    while distance < steps:
        earlier = [
            tf.pad(values[:, :-distance], ((0, 0), (distance, 0), (0, 0)))
            for values in (fades, writes)
        ]
        writes = tf.maximum(earlier[1] - fades, writes)
        fades += earlier[0]
        distance *= 2
    outputs = tf.maximum(state[:, None] - fades, writes)
    last = outputs[:, -1] if steps else state
    return tf.cast(outputs, tf.int16).numpy(), tf.cast(last, tf.int16).numpy()


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
    update, candidate = tf.split(_rescale(layer, accumulator), 2, axis=1)
    update = tf.cast(tf.clip_by_value(update, -bound, bound), tf.int32)
    candidate = tf.clip_by_value(candidate, layer.candidate_min, layer.candidate_max)
    candidate = tf.cast(candidate, tf.int32)
    kept = tf.nn.relu(state + s - tf.nn.relu(-update))
    written = tf.nn.relu(candidate + s - tf.nn.relu(update))
    return tf.minimum(kept + written - s, layer.state_max)


def _rescale(layer, accumulator):
    """The accumulators `[..., 2 * H]` at the scale of the state."""
    if layer.multiplier is not None:
        accumulator = tf.cast(accumulator, tf.int64) * tf.cast(layer.multiplier, tf.int64)
    shift = _like(accumulator, layer.shift)
    half = _like(accumulator, (1 << layer.shift.astype("int64")) // 2)
    return tf.bitwise.right_shift(accumulator + half, shift)


def _like(tensor, values):
    return tf.constant(values, tensor.dtype)
