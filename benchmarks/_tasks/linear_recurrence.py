"""The recurrence `h_t = kept_t * h_{t-1} + written_t` of peers, one pass over memory, with Numba.

As operations of TensorFlow, in parallel over time, it takes ten times as long on one thread.
"""

import numba
import numpy as np
import tensorflow as tf


@tf.custom_gradient
def linear_recurrence(kept, written):
    """All states `[B, T, H]` of `kept` and `written`, `[B, T, H]`, from a state of zeros."""
    states = tf.numpy_function(_states, [kept, written], written.dtype)
    states.set_shape(written.shape)

    def gradient(d_states):
        gradients = tf.numpy_function(_gradients, [kept, states, d_states], [written.dtype] * 2)
        for found in gradients:
            found.set_shape(written.shape)
        return gradients

    return states, gradient


@numba.njit(nogil=True)
def _states(kept, written):
    states = np.empty_like(written)
    batch, steps, units = written.shape
    for b in range(batch):
        state = np.zeros(units, written.dtype)
        for t in range(steps):
            for h in range(units):
                state[h] = kept[b, t, h] * state[h] + written[b, t, h]
                states[b, t, h] = state[h]
    return states


@numba.njit(nogil=True)
def _gradients(kept, states, d_states):
    """Of `kept` and `written`. That of a step's state is that of what the step wrote."""
    d_kept, d_written = np.empty_like(kept), np.empty_like(kept)
    batch, steps, units = kept.shape
    for b in range(batch):
        d_state = np.zeros(units, kept.dtype)
        for t in range(steps - 1, -1, -1):
            for h in range(units):
                d = d_states[b, t, h] + d_state[h]
                d_written[b, t, h] = d
                d_kept[b, t, h] = d * states[b, t - 1, h] if t else 0
                d_state[h] = d * kept[b, t, h]
    return d_kept, d_written
