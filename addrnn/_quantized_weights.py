"""From weights that are integers already to the layers of an integer model."""

from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn import _overflow, _validation
from addrnn._integers import round_half_up
from addrnn._validation import INT32_MAX
from addrnn.layers import IntegerAddGRU, IntegerDense, IntegerMinAddGRU
from addrnn.quantization import Quantization, StateQuantization

INTEGER_ACTIVATIONS = ("relu", "linear", "hard_tanh")

_Floats = npt.NDArray[np.floating]


def add_gru(
    kernel: _Floats,
    recurrent_kernel: _Floats,
    bias: _Floats,
    kernel_exponent: npt.NDArray[np.integer],
    recurrent_exponent: npt.NDArray[np.integer],
    step: _Floats | None = None,
    *,
    activation: str,
    inputs: Quantization,
    state: StateQuantization,
    weight_bits: int,
    name: str,
    **settings: bool,
) -> IntegerAddGRU:
    """Makes an `IntegerAddGRU` of weights that are integers already.

    Args:
        kernel, recurrent_kernel: Integers as floats.
        bias: Real numbers `[2 * H]`, without the inputs' zero point.
        kernel_exponent, recurrent_exponent: `[2 * H]`, the powers of two that 1 stands for.
        step: The unit of `bias` and of the powers, in that of the state, `[2 * H]`; None for 1.

    Other arguments and errors are those of `weight_quantization.add_gru`.
    """
    finest = np.minimum(kernel_exponent, recurrent_exponent)
    if step is None:  # a shift to the left would bring nothing
        finest = np.minimum(finest, 0)
    kernel_shift, recurrent_shift = kernel_exponent - finest, recurrent_exponent - finest
    # The zero point is subtracted for good.
    zero = inputs.zero_point * np.ldexp(kernel.sum(0, dtype=float), kernel_shift)
    offsets = round_half_up(np.ldexp(bias.astype(float), -finest)) - zero
    state_top = max(state.shift, state.max)
    magnitude = _overflow.accumulator_magnitude(
        offsets,
        [
            (kernel.astype(float), -inputs.range[0], np.ldexp(1.0, kernel_shift)),
            (recurrent_kernel.astype(float), state_top, np.ldexp(1.0, recurrent_shift)),
        ],
        np.floor(np.ldexp(0.5, -finest)) if step is None else 0.0,
    )
    _check_magnitude(name, magnitude, state)
    multiplier, shift = None, -finest
    if step is not None:
        multiplier, shift = _fixed_point(name, np.ldexp(step.astype(float), finest))
    low, high = candidate_range(activation, state)
    return IntegerAddGRU(
        kernel=kernel.astype(np.int64),
        recurrent_kernel=recurrent_kernel.astype(np.int64),
        bias=offsets.astype(np.int64),
        kernel_shift=kernel_shift,
        recurrent_shift=recurrent_shift,
        multiplier=multiplier,
        shift=shift,
        state_shift=state.shift,
        state_max=state.max,
        candidate_min=low,
        candidate_max=high,
        input_bits=inputs.bits,
        weight_bits=weight_bits,
        state_bits=state.bits,
        state_scale=state.scale,
        name=name,
        **settings,
    )


def min_add_gru(
    kernel: _Floats,
    bias: _Floats,
    exponent: npt.NDArray[np.integer],
    step: _Floats | None = None,
    *,
    activation: str,
    inputs: Quantization,
    state: StateQuantization,
    weight_bits: int,
    name: str,
    **settings: bool,
) -> IntegerMinAddGRU:
    """Makes an `IntegerMinAddGRU` of weights that are integers already.

    Args:
        kernel: Integers as floats, `[w, D, 2 * H]`.
        bias: Real numbers `[2 * H]`, without the inputs' zero point.
        exponent: `[2 * H]`, the powers of two that 1 stands for.
        step: The unit of `bias` and of the powers, in that of the state, `[2 * H]`; None for 1.

    Other arguments and errors are those of `weight_quantization.min_add_gru`.
    """
    # The zero point is subtracted for good, and padding adds it again.
    zero = inputs.zero_point * kernel.sum((0, 1), dtype=float)
    offsets = round_half_up(np.ldexp(bias.astype(float), -exponent)) - zero
    multiplier, shift = None, -exponent
    if step is not None or (exponent > 0).any():  # there is no shift to the left
        factors = np.ones(exponent.shape) if step is None else step.astype(float)
        multiplier, shift = _fixed_point(name, np.ldexp(factors, exponent))
    magnitude = _overflow.accumulator_magnitude(
        offsets,
        [(kernel.reshape(-1, kernel.shape[-1]).astype(float), -inputs.range[0], 1)],
        np.floor(np.ldexp(0.5, shift)) if multiplier is None else 0.0,
    )
    _check_magnitude(name, magnitude, state)
    return IntegerMinAddGRU(
        kernel=kernel.astype(np.int64),
        bias=offsets.astype(np.int64),
        multiplier=multiplier,
        shift=shift,
        state_max=state.max,
        candidate_max=candidate_range(activation, state)[1],
        input_bits=inputs.bits,
        input_zero_point=inputs.zero_point,
        weight_bits=weight_bits,
        state_bits=state.bits,
        state_scale=state.scale,
        name=name,
        **settings,
    )


def _check_magnitude(
    name: str, magnitude: npt.NDArray[np.float64], state: StateQuantization
) -> None:
    over = magnitude > INT32_MAX
    if over.any():
        raise ValueError(
            f"In layer '{name}' the weights of column {over.argmax()} are too large for sums of 32 "
            f"bits, beside a state that ends at {state.max * state.scale:.3g}. Give representative "
            "data in which the states grow as large as in use, use fewer bits for the state, or "
            "train with weight decay."
        )


def candidate_range(activation: str, state: StateQuantization) -> tuple[int, int]:
    """The integers at which the candidate saturates, which stand for its activation."""
    _validation.one_of("activation", activation, INTEGER_ACTIVATIONS)
    if activation == "relu":
        return 0, state.max
    if activation == "linear":
        return -state.shift, state.max
    one = int(round_half_up(1 / state.scale))
    return max(-one, -state.shift), min(one, state.max)


def dense(
    kernel: _Floats, bias: _Floats, step: Any, *, inputs: Quantization, weight_bits: int, name: str
) -> IntegerDense:
    """Makes an `IntegerDense` of weights that are integers already.

    Args:
        kernel: Integers as floats.
        bias: float32 `[C]`, in units of the inputs.
        step: The real number that 1 stands for in the kernel, float32.
    """
    return IntegerDense(
        kernel=kernel.astype(np.int64),
        bias=round_half_up(bias / step).astype(np.int64),
        input_bits=inputs.bits,
        weight_bits=weight_bits,
        scale=float(step) * inputs.scale,
        name=name,
    )


def _fixed_point(
    name: str, factors: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.integer]]:
    """Positive factors as `multiplier * 2**-shift`, the multiplier of 31 bits."""
    _, exponents = np.frexp(factors)
    if (exponents > 31).any():
        raise ValueError(
            f"In layer '{name}' the weights of column {exponents.argmax()} are too large to be "
            "rescaled in 32 bits. Train with weight decay."
        )
    shifts = np.minimum(31 - exponents, 62)
    multipliers = round_half_up(np.ldexp(factors, shifts))
    return np.clip(multipliers, 1, INT32_MAX).astype(np.int64), shifts
