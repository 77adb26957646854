"""From real weights and scales to the layers of an integer model, in NumPy."""

import dataclasses

import numpy as np

from addrnn import _validation, quantization
from addrnn.layers import IntegerAddGRU, IntegerDense
from addrnn.quantization import Quantization

ACTIVATIONS = ("relu", "linear", "hard_tanh")
RESCALES = ("shift", "multiplier")
_LONGEST_SHIFT = 31


@dataclasses.dataclass(frozen=True)
class State:
    """How a layer's state, and with it the gate, stands for real numbers.

    Args:
        bits: Integer from 2 to 16.
        scale: The real number that 1 stands for.
        shift: The integer for the layer's `state_shift`.
        max: The integer at which the state ends.
    """

    bits: int
    scale: float
    shift: int
    max: int

    @classmethod
    def up_to(cls, largest, bits, state_shift=0.0, state_max=None):
        """The finest one that reaches from `-state_shift` to `largest`.

        Args:
            largest: Positive number that the state shall reach.
            bits: Integer from 2 to 16.
            state_shift: The layer's.
            state_max: The layer's, at least 0, or None.
        """
        scale = (largest + state_shift) / quantization.signed_range(bits)[1]
        return cls.of_scale(scale, bits, state_shift, state_max)

    @classmethod
    def of_scale(cls, scale, bits, state_shift=0.0, state_max=None):
        """The one of that scale which reaches as far as it can; arguments as of `up_to`."""
        top = quantization.signed_range(bits)[1]
        shift = min(int(np.rint(state_shift / scale)), top)
        greatest = top - shift
        if state_max is not None:
            greatest = min(greatest, int(np.rint(state_max / scale)))
        return cls(bits, scale, shift, greatest)

    @property
    def affine(self):
        """How it is read by the layer that follows."""
        return Quantization(self.bits, self.scale)


def input_affine(low, high, bits):
    """The integers that reach from `low` to `high`, or to 0 if that lies outside."""
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if low == high:
        return Quantization(bits, 1.0)
    least, greatest = quantization.signed_range(bits)
    scale = (high - low) / (greatest - least)
    zero_point = int(np.clip(np.rint(least - low / scale), least, greatest))
    return Quantization(bits, scale, zero_point)


def add_gru(
    kernel,
    recurrent_kernel,
    bias,
    *,
    activation,
    inputs,
    state,
    weight_bits,
    rescale="shift",
    name="add_gru",
    **settings,
):
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
        state: `State`, how the state does.
        weight_bits: Integer from 2 to 8.
        rescale: `"shift"` or `"multiplier"`.
        name: Name of the layer.
        **settings: `go_backwards` and `return_sequences`.

    Raises:
        ValueError: A weight is not finite, or too large to be added up in 32 bits.
    """
    # In units of the state: what 1 in an input, or in the state, adds to the gate.
    kernel = _finite(name, "kernel", kernel) * (inputs.scale / state.scale)
    recurrent_kernel = _finite(name, "recurrent_kernel", recurrent_kernel)
    columns = kernel.shape[1]
    bias = np.zeros(columns) if bias is None else _finite(name, "bias", bias) / state.scale

    step = np.ones(columns)
    if rescale == "multiplier":
        step = _full_range(recurrent_kernel, kernel, weight_bits)
    powers = _powers(kernel, recurrent_kernel, step, weight_bits)
    while True:
        arrays = _arrays(
            kernel, recurrent_kernel, bias, step, powers, inputs, state, weight_bits, rescale
        )
        over = _magnitude(arrays, inputs, state) > _validation.INT32_MAX
        if not over.any():
            break
        lower = powers.min(0)
        if rescale == "shift" and (over & (lower >= 0)).any():
            raise ValueError(
                f"In layer '{name}' the weights of column {(over & (lower >= 0)).argmax()} are too "
                "large for sums of 32 bits, beside a state that ends at "
                f"{state.max * state.scale:.3g}. Give representative data in which the states "
                "reach as far as in use, use fewer bits for the state, or train with weight decay."
            )
        powers = powers + (over & (powers == lower))  # the finer of the two becomes coarser

    arrays["bias"] = arrays["bias"].astype(np.int64)
    if rescale == "multiplier":
        arrays["multiplier"], arrays["shift"] = _fixed_point(name, arrays.pop("unit"))
    else:
        arrays["shift"] = -np.log2(arrays.pop("unit")).astype(int)
    low, high = candidate_range(activation, state)
    return IntegerAddGRU(
        **arrays,
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


def candidate_range(activation, state):
    """The integers that the candidate ends at, which stand for its activation."""
    if activation == "relu":
        return 0, state.max
    if activation == "linear":
        return -state.shift, state.max
    if activation == "hard_tanh":
        one = int(np.rint(1 / state.scale))
        return max(-one, -state.shift), min(one, state.max)
    raise _validation.value_error(
        "activation", f"be one of {ACTIVATIONS} in integers", f"activation={activation!r}"
    )


def dense(kernel, bias, *, inputs, weight_bits, name="dense"):
    """Makes an `IntegerDense`: one step for all weights, so that all outputs share a scale.

    Args:
        kernel: Real numbers `[F, C]`.
        bias: Real numbers `[C]`, or None.
        inputs: `Quantization` of what comes in, with 0 at 0.
        weight_bits: Integer from 2 to 8.
        name: Name of the layer.

    Raises:
        ValueError: A weight is not finite, or the bias too large to be added up in 32 bits.
    """
    kernel = _finite(name, "kernel", kernel)
    bias = np.zeros(kernel.shape[1]) if bias is None else _finite(name, "bias", bias)
    greatest = quantization.weight_max(weight_bits)
    widest = np.abs(kernel).max() / greatest or np.abs(bias).max() / inputs.scale / 2**30 or 1.0
    # At few bits it pays to cut off the largest weights.
    steps = widest * np.linspace(1.0, 0.3, 29)
    errors = [
        np.square(kernel - step * quantized(kernel, step, weight_bits)).sum() for step in steps
    ]
    step = steps[np.argmin(errors)]
    while True:
        integers = quantized(kernel, step, weight_bits)
        offsets = np.rint(bias / (step * inputs.scale))
        worst = np.abs(integers).sum(0) * 2.0 ** (inputs.bits - 1) + np.abs(offsets)
        if worst.max() <= _validation.INT32_MAX:
            break
        step *= 2
    return IntegerDense(
        kernel=integers,
        bias=offsets.astype(np.int64),
        input_bits=inputs.bits,
        weight_bits=weight_bits,
        scale=step * inputs.scale,
        name=name,
    )


def quantized(weights, step, bits):
    """The nearest integers of so many bits to `weights / step`, int64."""
    greatest = quantization.weight_max(bits)
    return np.clip(np.rint(weights / step), -greatest, greatest).astype(np.int64)


def best_powers(weights, step, bits):
    """For each column the `n` whose step `step * 2**n` gives the least squared error.

    Args:
        weights: Real numbers `[N, C]`.
        step: Positive numbers `[C]`.
        bits: Integer from 2 to 8.

    Returns:
        Integers `[C]`, the larger one if two are as good; a column of zeros gets the least integer
        that there is.
    """
    largest = np.abs(weights).max(0)
    zeros = largest == 0
    fitting = np.ceil(np.log2(np.where(zeros, 1, largest / step / quantization.weight_max(bits))))
    fitting = fitting.astype(int)
    candidates = [fitting + offset for offset in (1, 0, -1, -2)]
    errors = []
    for powers in candidates:
        steps = step * 2.0**powers
        errors.append(np.square(weights - steps * quantized(weights, steps, bits)).sum(0))
    best = np.take_along_axis(np.stack(candidates), np.argmin(errors, 0)[None], 0)[0]
    return np.where(zeros, np.iinfo(int).min, best)


def _finite(layer, name, weights):
    weights = np.asarray(weights, np.float64)
    if not np.isfinite(weights).all():
        raise ValueError(f"In layer '{layer}' the {name} holds NaN or infinity. Train it anew.")
    return weights


def _full_range(recurrent_kernel, kernel, bits):
    """For each column the finest step that reaches its largest weight, `[2 * H]`."""
    largest = np.abs(recurrent_kernel).max(0)
    largest = np.where(largest == 0, np.abs(kernel).max(0), largest)
    return np.where(largest == 0, 1.0, largest / quantization.weight_max(bits))


def _powers(kernel, recurrent_kernel, step, bits):
    """The powers of two of both kernels' steps, `[2, 2 * H]`, near enough for shifts to align."""
    powers = np.stack([best_powers(weights, step, bits) for weights in (kernel, recurrent_kernel)])
    highest = powers.max(0)
    # Neither matters in a column of zeros alone.
    highest = np.where(highest == np.iinfo(int).min, 0, highest)
    zeros = powers == np.iinfo(int).min
    powers = np.where(zeros, highest, powers)
    powers = np.maximum(powers, highest - _LONGEST_SHIFT)
    return np.maximum(powers, -_LONGEST_SHIFT)


def _arrays(kernel, recurrent_kernel, bias, step, powers, inputs, state, bits, rescale):
    """The arrays of the layer, and the `unit` of its accumulators in that of the state."""
    finest = powers.min(0)
    if rescale == "shift":
        finest = np.minimum(finest, 0)
    unit = step * 2.0**finest
    kernel = quantized(kernel, step * 2.0 ** powers[0], bits)
    recurrent_kernel = quantized(recurrent_kernel, step * 2.0 ** powers[1], bits)
    arrays = {
        "kernel": kernel,
        "recurrent_kernel": recurrent_kernel,
        "bias": np.zeros(len(unit)),
        "kernel_shift": powers[0] - finest,
        "recurrent_shift": powers[1] - finest,
        "unit": unit,
    }
    zero = inputs.zero_point * np.ldexp(kernel.sum(0, dtype=float), arrays["kernel_shift"])
    # Beyond what all the rest can bring back into range, a bias has no further effect.
    ends = _magnitude(arrays, inputs, state) + np.ceil((state.max + state.shift + 1) / unit)
    arrays["bias"] = np.clip(np.rint(bias / unit) - zero, -ends, ends)
    return arrays


def _magnitude(arrays, inputs, state):
    """What no sum exceeds, rounding included, `[2 * H]`; see `IntegerAddGRU`."""
    total = np.abs(arrays["bias"])
    for weights, greatest, shift in (
        ("kernel", -quantization.signed_range(inputs.bits)[0], "kernel_shift"),
        ("recurrent_kernel", max(state.shift, state.max), "recurrent_shift"),
    ):
        sums = np.abs(arrays[weights]).sum(0) * float(greatest)
        total = total + np.ldexp(sums, arrays[shift])
    return total + np.ceil(0.5 / arrays["unit"])


def _fixed_point(name, factors):
    """Positive factors as `multiplier * 2**-shift`, the multiplier of 31 bits."""
    mantissas, exponents = np.frexp(factors)
    if (exponents > _LONGEST_SHIFT).any():
        raise ValueError(
            f"In layer '{name}' the weights of column {exponents.argmax()} are too large. Train "
            "with weight decay."
        )
    shifts = np.minimum(31 - exponents, 62)
    multipliers = np.rint(np.ldexp(factors, shifts))
    multipliers = np.clip(multipliers, 1, _validation.INT32_MAX)
    return multipliers.astype(np.int64), shifts
