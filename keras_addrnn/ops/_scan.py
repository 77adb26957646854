"""A step repeated over time, on whichever backend Keras runs."""

import keras

from keras_addrnn import _keras_private


def scan(step, state, xs, collect=True, unroll=False):
    """Repeats `state = step(state, x_t)` over the leading axis of `xs`.

    `xs` is a list of tensors `[T, ...]`, with `T` at least 1 where it is known, and `x_t` a list
    with one slice of each. LiteRT copies the collected states at every step of its loop, which
    makes `collect` quadratic in `T`.

    Returns:
        The states after each step `[T, B, H]`, or None without `collect`, and the last `[B, H]`.
    """
    if unroll:
        return _unrolled(step, state, xs, collect)
    if keras.backend.backend() == "tensorflow":
        return _tensorflow_loop(step, state, xs, collect)

    def body(state, x_t):
        state = step(state, x_t)
        return state, state if collect else None

    state, states = keras.ops.scan(body, state, xs)
    return states, state


def _unrolled(step, state, xs, collect):
    states = []
    for x_t in zip(*[keras.ops.unstack(x, axis=0) for x in xs], strict=True):
        state = step(state, x_t)
        states.append(state)
    return keras.ops.stack(states) if collect else None, state


def _tensorflow_loop(step, state, xs, collect):
    # Not `keras.ops.scan`: on TensorFlow its loop sets no bound on the iterations, so that XLA
    # cannot differentiate it, and a graph that meets an empty sequence dies in it (Keras 3.15).
    import tensorflow as tf

    steps = xs[0].shape[0]
    if steps is None:
        steps = tf.shape(xs[0])[0]
        # XLA compiles the body for an empty sequence too, where it must find something to read.
        xs = [tf.pad(x, [[0, 1]] + [[0, 0]] * (x.shape.rank - 1)) for x in xs]
    arrays = [tf.TensorArray(x.dtype, size=tf.shape(x)[0]).unstack(x) for x in xs]
    # One slot more than steps, for the state before the first: no array is ever empty, which
    # neither XLA nor a graph that stacks one of unknown shape would take.
    slots = steps + 1
    write, read = tf.TensorArray.write, lambda states: states.stack()[1:]
    collected = []
    if collect and state.shape[0] is None and _keras_private.exporter() == "litert":
        # LiteRT has arrays of a known batch only, and copies all of them at each step anyway.
        write, read = _append, lambda states: states[1:]
        collected.append(tf.zeros((slots, *tf.unstack(tf.shape(state))), state.dtype))
    elif collect:
        states = tf.TensorArray(state.dtype, size=slots, element_shape=state.shape)
        collected.append(states.write(0, state))

    def body(t, state, *collected):
        new_state = step(state, [array.read(t) for array in arrays])
        new_state.set_shape(state.shape)
        return t + 1, new_state, *(write(states, t + 1, new_state) for states in collected)

    _, state, *collected = tf.while_loop(
        lambda t, *_: t < steps, body, (0, state, *collected), maximum_iterations=slots
    )
    return read(collected[0]) if collect else None, state


def _append(states, _, state):
    import tensorflow as tf

    appended = tf.concat([states[1:], state[tf.newaxis]], 0)
    appended.set_shape(states.shape)
    return appended
