"""The integer recurrences on floats that hold whole numbers, with straight-through gradients."""

import keras

from addrnn import _integers
from keras_addrnn.ops._fading_maximum import (
    gradients,
    state_before,
    states_without_gradient,
    where_or_zero,
)
from keras_addrnn.ops._scan import scan
from keras_addrnn.quantization import _fake_quantize

ops = keras.ops


def recurrence(
    projected, recurrent_kernel, mask=None, *, state_shift, state_max, candidate_min, candidate_max
):
    """The states of an integer recurrence that starts from zeros.

    Values are those of `addrnn.reference.run_layer`. The gradient is that of
    docs/explanation/recurrence.md at the sums of each step before they are rounded: rounding passes
    it on, and it is 0 where the state, the update gate or the candidate saturates. (At the rounded
    sums most kinks would be met exactly, where the derivative is 0: docs/results/quantization.md
    compares.)

    Args:
        projected: `[T, B, 2H]`, what inputs and bias add to the update gate and the candidate, in
            units of the state.
        recurrent_kernel: `[H, 2H]`, integers times powers of two.
        mask: `[T, B, 1]` of zeros and ones, or None. Where it is 0 the state stays as it is.
        state_shift, state_max, candidate_min, candidate_max: Those of `IntegerAddGRU`.

    Returns:
        The states after each step, `[T, B, H]`.
    """
    bounds = {"s": state_shift, "m": state_max, "low": candidate_min, "high": candidate_max}
    masks = [] if mask is None else [mask]

    # By hand, not by differentiating the loop: that would keep a dozen arrays of each step, and
    # multiply for the recurrent kernel's gradient at each step instead of once.
    @ops.custom_gradient
    def run(projected, recurrent_kernel, *masks):
        start = ops.zeros_like(projected[0, :, : recurrent_kernel.shape[0]])

        def body(state, x_t):
            sums = ops.floor(x_t[0] + ops.matmul(state, recurrent_kernel))
            kept, written = _gate(state, *ops.split(sums, 2, axis=-1), **bounds)
            new_state = ops.minimum(kept + written - state_shift, state_max)
            return ops.where(x_t[1] > 0, new_state, state) if masks else new_state

        states, _ = scan(body, start, [projected + 0.5, *masks])

        def gradient(*arguments, upstream=None):
            # PyTorch gives the arguments of `run`, and the gradient by name.
            upstream = arguments[0] if upstream is None else upstream
            before = ops.concatenate([start[None], states[:-1]])
            d_projected = _gradient(upstream, before, projected, recurrent_kernel, masks, bounds)
            d_kernel = ops.matmul(ops.transpose(_rows(before)), _rows(d_projected))
            return d_projected, d_kernel, *[ops.zeros_like(mask) for mask in masks]

        return states, gradient

    return run(projected, recurrent_kernel, *masks)


def _gate(state, update, candidate, *, s, m, low, high):
    """The kept and the written part, both with `s` added. `update` needs no bounds here."""
    candidate = ops.minimum(ops.maximum(candidate, low), high)
    kept = ops.relu(state + s + ops.minimum(update, 0))
    written = ops.relu(candidate + s - ops.maximum(update, 0))
    return kept, written


def _gradient(upstream, before, projected, recurrent_kernel, masks, bounds):
    """`upstream [T, B, H]` and the states before each step to the gradient of `projected`."""
    units = recurrent_kernel.shape[0]
    transposed = ops.transpose(recurrent_kernel)
    sums = projected + ops.matmul(before, recurrent_kernel)

    def body(carry, x_t):
        g = carry[:, :units] + x_t[0]
        d_state, d_sums = _step_gradient(g, x_t[1], x_t[2], **bounds)
        if masks:
            d_state = ops.where(x_t[3] > 0, d_state, g)
            d_sums = ops.where(x_t[3] > 0, d_sums, ops.zeros_like(d_sums))
        # The gradient of the sums goes along, to be collected.
        return ops.concatenate([d_state + ops.matmul(d_sums, transposed), d_sums], axis=-1)

    xs = [ops.flip(x, axis=0) for x in (upstream, before, sums, *masks)]
    carries, _ = scan(body, ops.concatenate([ops.zeros_like(before[0])] * 3, axis=-1), xs)
    return ops.flip(carries[..., units:], axis=0)


def _step_gradient(g, state, sums, *, s, m, low, high):
    """The gradients of the state before and of the sums; `g` is that of the state after."""
    zero = ops.zeros_like(g)
    update, candidate = ops.split(sums, 2, axis=-1)
    kept, written = _gate(state, update, candidate, s=s, m=m, low=low, high=high)
    g = ops.where(kept + written < m + s + 0.5, g, zero)  # what rounds to the bound is within it
    to_kept = ops.where(kept > 0, g, zero)
    to_written = ops.where(written > 0, g, zero)
    to_update = ops.where(update < 0, to_kept, ops.where(update > 0, -to_written, zero))
    inside = ops.abs(candidate - (low + high) / 2) <= (high - low + 1) / 2
    to_candidate = ops.where(inside, to_written, zero)
    return to_kept, ops.concatenate([to_update, to_candidate], axis=-1)


def _rows(tensor):
    return ops.reshape(tensor, (-1, tensor.shape[-1]))


def fading_recurrence(sums, mask=None, *, candidate_max):
    """The states of an integer `MinAddGRU` that starts from zeros, all steps at once.

    Values are those of `addrnn.reference.run_min_add_gru`. The gradient is that of
    docs/explanation/parallel-in-time.md at the sums before they are rounded, as in `recurrence`.

    Args:
        sums: `[B, T, 2H]`, the update gate and the candidate in units of the state, not rounded, in
            the order of processing.
        mask: Booleans `[B, T]` in that order, or None. Where it is False the state stays as it is.
        candidate_max: That of `IntegerMinAddGRU`.

    Returns:
        The states after each step, `[B, T, H]`.
    """
    integers = _integers.round_half_up(ops.stop_gradient(sums), ops)
    fading, written = _fading_and_written(integers, candidate_max)
    # What rounds to the bound is within it.
    real_fading, real_written = _fading_and_written(sums, candidate_max + 0.5)
    if mask is not None:
        mask = mask[..., None]
        fading, written, real_fading = (
            where_or_zero(mask, values) for values in (fading, written, real_fading)
        )
        # Less than any state: a masked step keeps a 0 too, and passes its gradient on.
        real_written = ops.where(mask, real_written, -ops.ones_like(real_written))
    return _fading_states(real_fading, real_written, fading, written)


def _fading_and_written(sums, candidate_max):
    update, candidate = ops.split(sums, 2, axis=-1)
    candidate = _fake_quantize.clip(candidate, 0, candidate_max)
    return ops.relu(-update), ops.relu(candidate - ops.relu(update))


# The integers give the states, and the real numbers decide which of the two branches a gradient
# takes: integers are often equal, and the written one would get it all, kept or not.
@ops.custom_gradient
def _fading_states(real_fading, real_written, fading, written):
    states = states_without_gradient(fading, written)
    keeps = state_before(states) - real_fading > real_written

    def gradient(*arguments, upstream=None):
        upstream = arguments[0] if upstream is None else upstream
        d_fading, d_written, _ = gradients(keeps, upstream)
        return d_fading, d_written, ops.zeros_like(upstream), ops.zeros_like(upstream)

    return states, gradient
