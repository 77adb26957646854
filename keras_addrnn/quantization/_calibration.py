"""The ranges of inputs and states, from what Keras computes on representative data."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from addrnn import _validation
from addrnn.quantization import Quantization, StateQuantization
from keras_addrnn.quantization._keras_model import MinRecurrent, Recurrent

# The ranges of the state that are tried beside the full one, as fractions of the largest value that
# occurs: at few bits a finer step can be worth more than the rarest values.
_RANGE_FRACTIONS = (0.75, 0.5, 0.375, 0.25)


def checked(data: Any, features: int) -> npt.NDArray[np.float32]:
    """The representative data as an array `[N, T, features]`; errors as of `quantize`."""
    name = "representative_data"
    if data is None:
        raise _validation.type_error(
            name,
            "be given: only a quantization-aware model holds the ranges of its numbers already",
            "None",
            "Give some hundred sequences [N, T, D].",
        )
    try:
        given = np.asarray(data)
        if given.dtype.kind not in "biufV":  # of V are bfloat16 and its kin
            raise TypeError
        data = given.astype(np.float32)
    except (TypeError, ValueError) as error:
        raise _validation.type_error(
            name,
            "be an array of real numbers [N, T, D]",
            getattr(data, "dtype", type(data).__name__),
        ) from error
    if data.ndim != 3 or data.shape[-1] != features or not data.size:
        raise _validation.value_error(
            name,
            f"have the shape [N, T, {features}], with at least one sequence and one step",
            f"shape={data.shape}",
        )
    _validation.check_finite(name, data, "Leave such sequences out.")
    return data


def real_states(
    layer: Recurrent | MinRecurrent, data: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], float]:
    """Keras' own states and candidates after each step, float32 `[N, T, H]`; the share clipped."""
    outputs = layer.outputs(data)
    if not np.isfinite(outputs).all():
        raise _validation.value_error(
            "representative_data",
            f"give finite states: those of layer '{layer.name}' are not finite on it",
            "NaN or infinity",
            layer.if_not_finite,
        )
    sums = layer.products(data[:, ::-1] if layer.go_backwards else data, outputs)
    units = outputs.shape[-1]
    if layer.bias is not None:
        sums = sums + layer.bias
    activation = keras.activations.get(layer.activation)
    candidates = activation(keras.ops.convert_to_tensor(sums[..., units:]))
    candidates = keras.ops.convert_to_numpy(candidates)
    return outputs, candidates, _clipped_share(layer, sums[..., :units], candidates)


def _clipped_share(
    layer: Recurrent | MinRecurrent, update: npt.NDArray[Any], candidates: npt.NDArray[Any]
) -> float:
    """The share of the candidates that makes a difference above `state_max`."""
    if layer.state_max is None:
        return 0.0
    # Where the update gate takes nothing away, the new state is clipped at `state_max` anyway.
    return float(np.mean((candidates > layer.state_max) & (update > 0)))


def state_choices(
    layer: Recurrent | MinRecurrent,
    states: npt.NDArray[Any],
    candidates: npt.NDArray[Any],
    inputs: Quantization,
    bits: int,
) -> list[StateQuantization]:
    """The `StateQuantization`s to choose from, the one of the largest range first."""
    largest = float(max(states.max(), candidates.max()))
    if layer.state_max is not None:
        largest = min(largest, layer.state_max)
    largest = largest if largest > 0 else 1.0
    bounds = layer.state_shift, layer.state_max
    full = StateQuantization.of_range(largest, bits, *bounds)
    # A scale that is the inputs' times a power of two adds up inputs without rounding them.
    scale = inputs.scale * 2.0 ** np.ceil(np.log2(full.scale / inputs.scale))
    exact = StateQuantization.of_scale(scale, bits, *bounds)
    finer = [
        StateQuantization.of_range(fraction * largest, bits, *bounds)
        for fraction in _RANGE_FRACTIONS
    ]
    return [full, exact, *finer]
