"""From real weights and scales to the layers of an integer model, in NumPy.

Weights are rounded in float32, as a quantization-aware model rounds them: both get the same
integers. Both multiply by reciprocals: XLA makes that of a division by a constant.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn import _overflow, _quantized_weights, _scale_search
from addrnn._integers import weight_max
from addrnn.layers import IntegerAddGRU, IntegerDense, IntegerMinAddGRU
from addrnn.quantization import Quantization, StateQuantization

RESCALES = ("shift", "multiplier")

_Floats = npt.NDArray[np.floating]


def add_gru(
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    *,
    activation: str,
    inputs: Quantization,
    state: StateQuantization,
    weight_bits: int,
    rescale: str = "shift",
    name: str = "add_gru",
    **settings: bool,
) -> IntegerAddGRU:
    """Makes an `IntegerAddGRU`.

    With `rescale="shift"` the steps of the weights are powers of two: those of the recurrent kernel
    as they are, those of the kernel times the state's scale over the inputs'. So each of the two
    sums needs a shift only to come to the state's scale. `"multiplier"` lets each column have a
    step of its own, as fine as its recurrent weights allow, and a multiplier. Both choose for each
    column of each kernel the power of two with the least squared error.

    Args:
        kernel: Real numbers `[D, 2 * H]`.
        recurrent_kernel: Real numbers `[H, 2 * H]`.
        bias: Real numbers `[2 * H]`, or None.
        activation: `"relu"`, `"linear"` or `"hard_tanh"`.
        inputs: `Quantization`, how the inputs stand for real numbers.
        state: `StateQuantization`, how the state does.
        weight_bits: Integer from 2 to 8.
        rescale: `"shift"` or `"multiplier"`.
        name: Name of the layer.
        **settings: `go_backwards` and `return_sequences`.

    Returns:
        An `IntegerAddGRU`.

    Raises:
        ValueError: A weight is not finite, or too large to be added up in 32 bits.
    """
    # In units of the state: what 1 in an input, or in the state, adds to the gate.
    kernel = finite(name, "kernel", kernel) * np.float32(inputs.scale / state.scale)
    recurrent_kernel = finite(name, "recurrent_kernel", recurrent_kernel)
    bias = _bias(name, bias, kernel) * np.float32(1 / state.scale)
    step = None
    if rescale == "multiplier":
        step = _full_range(recurrent_kernel, kernel, weight_bits)
        kernel, recurrent_kernel, bias = (a / step for a in (kernel, recurrent_kernel, bias))
    greatest = weight_max(weight_bits)
    least, bias = _overflow.least_exponent(
        real_products(kernel, recurrent_kernel, inputs, state),
        bias,
        (state.max + state.shift + 1) / (1.0 if step is None else step),
        greatest,
    )
    kernel, kernel_exponent = _scale_search.quantize_columns(kernel, greatest, least)
    recurrent_kernel, recurrent_exponent = _scale_search.quantize_columns(
        recurrent_kernel, greatest, least
    )
    return _quantized_weights.add_gru(
        kernel,
        recurrent_kernel,
        bias,
        kernel_exponent,
        recurrent_exponent,
        step,
        activation=activation,
        inputs=inputs,
        state=state,
        weight_bits=weight_bits,
        name=name,
        **settings,
    )


def min_add_gru(
    kernel: Any,
    bias: Any,
    *,
    activation: str,
    inputs: Quantization,
    state: StateQuantization,
    weight_bits: int,
    rescale: str = "shift",
    name: str = "min_add_gru",
    **settings: bool,
) -> IntegerMinAddGRU:
    """Makes an `IntegerMinAddGRU`; arguments and errors as of `add_gru`.

    With `rescale="shift"` the steps of the weights are the state's scale over the inputs', times
    powers of two. One is above 1 where the inputs are that much coarser than the state; the layer
    then has multipliers, which are powers of two.

    Args:
        kernel: Real numbers `[w, D, 2 * H]`.
        state: `StateQuantization` without a shift.
    """
    kernel = finite(name, "kernel", kernel)
    shape = kernel.shape
    # In units of the state: what 1 in an input adds to the gate.
    kernel = kernel.reshape(-1, shape[-1]) * np.float32(inputs.scale / state.scale)
    bias = _bias(name, bias, kernel) * np.float32(1 / state.scale)
    step = None
    if rescale == "multiplier":
        step = _full_range(kernel, kernel, weight_bits)
        kernel, bias = kernel / step, bias / step
    greatest = weight_max(weight_bits)
    least, bias = _overflow.least_exponent(
        [(kernel, greatest_input(inputs))],
        bias,
        (state.max + 1) / (1.0 if step is None else step),
        greatest,
    )
    kernel, exponent = _scale_search.quantize_columns(kernel, greatest, least)
    return _quantized_weights.min_add_gru(
        kernel.reshape(shape),
        bias,
        exponent,
        step,
        activation=activation,
        inputs=inputs,
        state=state,
        weight_bits=weight_bits,
        name=name,
        **settings,
    )


def real_products(
    kernel: Any, recurrent_kernel: Any, inputs: Quantization, state: StateQuantization
) -> list[tuple[Any, float]]:
    """Both kernels and the greatest magnitude of what meets each, the zero point included."""
    greatest_state = float(max(state.max, state.shift))
    return [(kernel, greatest_input(inputs)), (recurrent_kernel, greatest_state)]


def greatest_input(inputs: Quantization) -> float:
    """The greatest magnitude that a kernel meets, the zero point included."""
    return float(-inputs.range[0] + abs(inputs.zero_point))


def dense(
    kernel: Any,
    bias: Any,
    *,
    inputs: Quantization,
    weight_bits: int,
    name: str = "dense",
) -> IntegerDense:
    """Makes an `IntegerDense`: one step for all weights, so that all outputs share a scale.

    Args:
        kernel: Real numbers `[F, C]`.
        bias: Real numbers `[C]`, or None.
        inputs: `Quantization` of what comes in, with 0 at 0.
        weight_bits: Integer from 2 to 8.
        name: Name of the layer.

    Raises:
        ValueError: A weight is not finite.
    """
    kernel = finite(name, "kernel", kernel)
    bias = _bias(name, bias, kernel) * np.float32(1 / inputs.scale)
    least = _overflow.least_step(kernel, -float(inputs.range[0]), bias)
    kernel, step = _scale_search.quantize_whole(kernel, weight_max(weight_bits), least)
    return _quantized_weights.dense(
        kernel, bias, step, inputs=inputs, weight_bits=weight_bits, name=name
    )


def finite(layer: str, name: str, weights: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """The weights as float32.

    Raises:
        ValueError: One is not finite.
    """
    with np.errstate(over="ignore"):
        array = np.asarray(weights).astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError(
            f"In layer '{layer}' the {name} must hold finite numbers. Received: NaN or infinity. "
            "Train the model anew."
        )
    return array


def _bias(layer: str, bias: npt.ArrayLike | None, kernel: _Floats) -> npt.NDArray[np.float32]:
    if bias is None:
        return np.zeros(kernel.shape[1], np.float32)
    return finite(layer, "bias", bias)


def _full_range(recurrent_kernel: _Floats, kernel: _Floats, bits: int) -> _Floats:
    """For each column the finest step that clips no weight, `[2 * H]`."""
    largest = np.abs(recurrent_kernel).max(0)
    largest = np.where(largest == 0, np.abs(kernel).max(0), largest)
    return np.asarray(np.where(largest == 0, np.ones_like(largest), largest / weight_max(bits)))
