"""The arithmetic of an integer model, in NumPy: the definition that every executor has to meet.

All sums are taken in int64, where nothing can overflow. That they fit into int32 as well is shown
by the layers when they are made.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn.layers import IntegerAddGRU, IntegerDense

_Int64 = npt.NDArray[np.int64]


def run_layer(
    layer: IntegerAddGRU,
    inputs: npt.NDArray[Any],
    initial_state: npt.NDArray[Any] | None = None,
    mask: npt.NDArray[np.bool_] | None = None,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Runs an `IntegerAddGRU`.

    Args:
        layer: The layer.
        inputs: Integers `[B, T, D]`, of `layer.input_bits` bits.
        initial_state: Integers `[B, H]`, from `-state_shift` to `state_max`; None for zeros.
        mask: Booleans `[B, T]`; where it is False the state stays as it is. None for all True.

    Returns:
        The states `[B, T, H]` in the order of processing, and the last one `[B, H]`, as int16.
    """
    batch, steps, _ = inputs.shape
    state = np.zeros((batch, layer.units), np.int64) if initial_state is None else initial_state
    state = state.astype(np.int64)
    outputs = np.empty((batch, steps, layer.units), np.int16)
    order = range(steps - 1, -1, -1) if layer.go_backwards else range(steps)
    for i, t in enumerate(order):
        next_state = step(layer, inputs[:, t].astype(np.int64), state)
        if mask is not None:
            next_state = np.where(mask[:, t, None], next_state, state)
        outputs[:, i] = state = next_state
    return outputs, state.astype(np.int16)


def step(layer: IntegerAddGRU, inputs: _Int64, state: _Int64) -> _Int64:
    """One step, on int64 `[B, D]` and `[B, H]`; returns the next state, int64 `[B, H]`."""
    s = layer.state_shift
    accumulator = (
        (inputs @ layer.kernel.astype(np.int64) << layer.kernel_shift)
        + (state @ layer.recurrent_kernel.astype(np.int64) << layer.recurrent_shift)
        + layer.bias.astype(np.int64)
    )
    if layer.multiplier is not None:
        accumulator = accumulator * layer.multiplier
    update, candidate = np.split(round_shift(accumulator, layer.shift), 2, axis=1)
    update = np.clip(update, -layer.update_max, layer.update_max)
    candidate = np.clip(candidate, layer.candidate_min, layer.candidate_max)
    kept = np.maximum(state + s - np.maximum(-update, 0), 0)
    written = np.maximum(candidate + s - np.maximum(update, 0), 0)
    return np.asarray(np.minimum(kept + written - s, layer.state_max))


def round_shift(value: _Int64, bits: npt.NDArray[np.integer]) -> _Int64:
    """`value / 2**bits` rounded to the nearest integer, a half goes up; both int64."""
    wide = bits.astype(np.int64)
    return value + (np.int64(1) << wide >> 1) >> wide


def run_dense(layer: IntegerDense, inputs: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Runs an `IntegerDense` on integers `[..., F]`; returns int32 `[..., C]`."""
    sums = inputs.astype(np.int64) @ layer.kernel.astype(np.int64) + layer.bias
    return sums.astype(np.int32)
