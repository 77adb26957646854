"""The integer layers in C++: what `addrnn.reference` defines, bit for bit."""

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn import _compiled_core, _validation
from addrnn._integers import signed_range
from addrnn.layers import IntegerAddGRU, IntegerDense, IntegerMinAddGRU, Layer, RecurrentLayer

_ARRAYS = ("kernel", "bias", "recurrent_kernel", "kernel_shift", "recurrent_shift", "shift")
_NUMBERS = ("input_bits", "state_shift", "state_max", "candidate_min", "candidate_max")
_MIN_ARRAYS = ("kernel", "bias", "shift", "multiplier")
_MIN_NUMBERS = ("input_bits", "input_zero_point", "state_max", "candidate_max")

# Of each layer, as long as it lives: its weights as the kernels read them.
_prepared: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def run_layer(
    layer: RecurrentLayer,
    inputs: npt.ArrayLike,
    initial_state: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Runs a recurrent layer; arguments and results are those of `addrnn.reference.run_layer`.

    Raises:
        ValueError: A shape is wrong, or a value out of range.
        RuntimeError: There is no compiled core; says what to do.
    """
    if isinstance(layer, IntegerMinAddGRU):
        return run_min_add_gru(layer, inputs, initial_state, mask)
    initial_state, mask = _state_and_mask(initial_state, mask, -layer.state_shift, layer.state_max)
    outputs, last = _prepare(layer, _prepare_layer).run(_inputs(layer, inputs), initial_state, mask)
    return outputs, last


def run_min_add_gru(
    layer: IntegerMinAddGRU,
    inputs: npt.ArrayLike,
    initial_state: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
    initial_inputs: npt.ArrayLike | None = None,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Runs an `IntegerMinAddGRU`, as `addrnn.reference.run_min_add_gru` does. Errors as above."""
    initial_state, mask = _state_and_mask(initial_state, mask, 0, layer.state_max)
    if initial_inputs is not None:
        initial_inputs = _inputs(layer, initial_inputs, "initial_inputs")
    prepared = _prepare(layer, _prepare_min_layer)
    outputs, last = prepared.run(_inputs(layer, inputs), initial_state, mask, initial_inputs)
    return outputs, last


def run_dense(layer: IntegerDense, inputs: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Runs an `IntegerDense` on integers `[..., F]`; returns int32 `[..., C]`. Errors as above."""
    integers = _inputs(layer, inputs)
    rows = integers.reshape(-1, integers.shape[-1])
    outputs = _prepare(layer, _prepare_dense).run(rows)
    return np.asarray(outputs.reshape(*integers.shape[:-1], layer.units))


def _inputs(layer: Layer, inputs: npt.ArrayLike, name: str = "inputs") -> npt.NDArray[Any]:
    dtype = np.int8 if layer.input_bits <= 8 else np.int16
    return _checked(name, inputs, dtype, *signed_range(layer.input_bits))


def _state_and_mask(
    initial_state: npt.ArrayLike | None, mask: npt.ArrayLike | None, low: int, high: int
) -> tuple[npt.NDArray[Any] | None, npt.NDArray[Any] | None]:
    """Both as the core takes them; `low` and `high` bound the state."""
    if initial_state is not None:
        initial_state = _checked("initial_state", initial_state, np.int16, low, high)
    return initial_state, None if mask is None else np.ascontiguousarray(mask, bool)


def _checked(
    name: str, values: npt.ArrayLike, dtype: npt.DTypeLike, low: int, high: int
) -> npt.NDArray[Any]:
    values = np.asarray(values)
    _validation.in_range(name, values, low, high)
    return np.ascontiguousarray(values, dtype)


def _prepare(layer: Any, prepare: Callable[[Any], Any]) -> Any:
    prepared = _prepared.get(layer)
    if prepared is None:
        prepared = _prepared[layer] = prepare(layer)
    return prepared


def _prepare_layer(layer: IntegerAddGRU) -> Any:
    arguments = {name: getattr(layer, name) for name in (*_ARRAYS, "multiplier", *_NUMBERS)}
    return _compiled_core.load().IntegerAddGru(**arguments, go_backwards=bool(layer.go_backwards))


def _prepare_min_layer(layer: IntegerMinAddGRU) -> Any:
    arguments = {name: getattr(layer, name) for name in (*_MIN_ARRAYS, *_MIN_NUMBERS)}
    return _compiled_core.load().IntegerMinAddGru(**arguments, go_backwards=layer.go_backwards)


def _prepare_dense(layer: IntegerDense) -> Any:
    return _compiled_core.load().IntegerDense(
        kernel=layer.kernel, bias=layer.bias, input_bits=layer.input_bits
    )
