"""The arithmetic of an integer model, in NumPy: the definition that every executor has to meet.

All sums are taken in int64, where nothing can overflow. That they fit into int32 as well is shown
by the layers when they are made.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn.layers import IntegerAddGRU, IntegerDense, IntegerMinAddGRU, RecurrentLayer

_Int64 = npt.NDArray[np.int64]


def run_layer(
    layer: RecurrentLayer,
    inputs: npt.NDArray[Any],
    initial_state: npt.NDArray[Any] | None = None,
    mask: npt.NDArray[np.bool_] | None = None,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Runs a recurrent layer.

    Args:
        layer: `IntegerAddGRU` or `IntegerMinAddGRU`.
        inputs: Integers `[B, T, D]`, of `layer.input_bits` bits.
        initial_state: Integers `[B, H]`, in the range of the state; None for zeros.
        mask: Booleans `[B, T]`; where it is False the state stays as it is. None for all True.

    Returns:
        The states `[B, T, H]` in the order of processing, and the last one `[B, H]`, as int16.
    """
    if isinstance(layer, IntegerMinAddGRU):
        return run_min_add_gru(layer, inputs, initial_state, mask)
    return _run_add_gru(layer, inputs, initial_state, mask)


def _run_add_gru(
    layer: IntegerAddGRU,
    inputs: npt.NDArray[Any],
    initial_state: npt.NDArray[Any] | None,
    mask: npt.NDArray[np.bool_] | None,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
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


def run_min_add_gru(
    layer: IntegerMinAddGRU,
    inputs: npt.NDArray[Any],
    initial_state: npt.NDArray[Any] | None = None,
    mask: npt.NDArray[np.bool_] | None = None,
    initial_inputs: npt.NDArray[Any] | None = None,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Runs an `IntegerMinAddGRU`; as `run_layer`, for a sequence that goes on too.

    Args:
        initial_inputs: Integers `[B, w - 1, D]` of `layer.input_bits` bits, what is read before the
            first step, oldest first. None for `layer.input_zero_point`.

    Returns:
        The states `[B, T, H]` in the order of processing, and the last one `[B, H]`, as int16.
    """
    batch, steps, _ = inputs.shape
    state = np.zeros((batch, layer.units), np.int64) if initial_state is None else initial_state
    state = state.astype(np.int64)
    fades, writes = min_add_gru_steps(layer, inputs, mask, initial_inputs)
    outputs = np.empty((batch, steps, layer.units), np.int16)
    for t in range(steps):
        outputs[:, t] = state = np.maximum(state - fades[:, t], writes[:, t])
    return outputs, state.astype(np.int16)


def min_add_gru_steps(
    layer: IntegerMinAddGRU,
    inputs: npt.NDArray[Any],
    mask: npt.NDArray[np.bool_] | None = None,
    initial_inputs: npt.NDArray[Any] | None = None,
) -> tuple[_Int64, _Int64]:
    """The steps of an `IntegerMinAddGRU`, none of which reads the state.

    Returns:
        By how much the state fades, and what is written: int64 `[B, T, H]`, in the order of
        processing. The state `h` becomes `max(h - fades, writes)`.
    """
    batch, steps, features = inputs.shape
    sequence = inputs.astype(np.int64)
    if mask is not None:
        sequence = np.where(mask[..., None], sequence, layer.input_zero_point)
    if layer.go_backwards:
        sequence = sequence[:, ::-1]
    if initial_inputs is None:
        shape = (batch, layer.kernel_size - 1, features)
        initial_inputs = np.full(shape, layer.input_zero_point)
    sequence = np.concatenate([initial_inputs.astype(np.int64), sequence], axis=1)

    accumulator = np.zeros((batch, steps, 2 * layer.units), np.int64) + layer.bias
    for j, weights in enumerate(layer.kernel.astype(np.int64)):
        accumulator += sequence[:, j : j + steps] @ weights
    if layer.multiplier is not None:
        accumulator = accumulator * layer.multiplier
    update, candidate = np.split(round_shift(accumulator, layer.shift), 2, axis=2)
    update = np.clip(update, -layer.update_max, layer.update_max)
    candidate = np.clip(candidate, 0, layer.candidate_max)
    fades = np.maximum(-update, 0)
    writes = np.maximum(candidate - np.maximum(update, 0), 0)
    if mask is not None:
        kept = (mask[:, ::-1] if layer.go_backwards else mask)[..., None]
        fades, writes = np.where(kept, fades, 0), np.where(kept, writes, 0)
    return fades, writes


def round_shift(value: _Int64, bits: npt.NDArray[np.integer]) -> _Int64:
    """`value / 2**bits` rounded to the nearest integer, a half goes up; both int64."""
    wide = bits.astype(np.int64)
    return value + (np.int64(1) << wide >> 1) >> wide


def run_dense(layer: IntegerDense, inputs: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Runs an `IntegerDense` on integers `[..., F]`; returns int32 `[..., C]`."""
    sums = inputs.astype(np.int64) @ layer.kernel.astype(np.int64) + layer.bias
    return sums.astype(np.int32)
