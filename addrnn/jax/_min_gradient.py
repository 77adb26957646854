"""MinAddGRU with its gradient, as `_gradient`."""

import functools
from typing import Any

import jax

from addrnn.jax import _call, _transformations
from addrnn.jax._gradient import Wanted, as_array, forward, of_given, with_candidates
from addrnn.window_sequence import WindowTensors

# Of each tensor, whether its first axis is the batch.
_HAS_ROWS = WindowTensors(True, False, False, True, True, True)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def recurrence(
    tensors: WindowTensors, activation: str, go_backwards: bool
) -> tuple[jax.Array, jax.Array]:
    """Outputs and last state. An optional tensor that is absent comes without elements."""
    outputs, state = _forward(tensors, activation, go_backwards, keeps_bits=False)
    return outputs, state


def _recurrence_forward(tensors: Any, activation: str, go_backwards: bool) -> Any:
    wanted = Wanted(inputs=tensors.inputs.perturbed)
    tensors = jax.custom_derivatives.custom_vjp_primal_tree_values(tensors)
    outputs, state, *kept = _forward(tensors, activation, go_backwards, keeps_bits=True)
    return (outputs, state), (tensors, kept, wanted)


def _recurrence_backward(
    activation: str, go_backwards: bool, residuals: Any, gradients: Any
) -> tuple[WindowTensors]:
    tensors, kept, wanted = residuals
    inputs, kernel, bias, initial_state, mask, initial_inputs = tensors

    def backward(*arguments: jax.Array) -> list[jax.Array]:
        inputs, kernel, _, _, initial_inputs, *_ = arguments
        dtype, columns = inputs.dtype, kernel.shape[-1]
        results: list[_call.Result] = [
            (kernel.shape, dtype),
            ((columns,), dtype),
            ((inputs.shape[0], columns // 2), dtype),
            (initial_inputs.shape, dtype),
        ]
        if wanted.inputs:
            results.append((inputs.shape, dtype))
        return _call.call(
            "addrnn_min_add_gru_grad",
            arguments,
            results,
            activation=activation,
            go_backwards=go_backwards,
        )

    has_rows = (True, False, *[True] * 7)
    results_have_rows = (False, False, True, True, True)[: 4 + wanted.inputs]
    of_rows = _transformations.of_rows(backward, has_rows, results_have_rows)
    d_kernel, d_bias, d_initial_state, d_initial_inputs, *d_inputs = (
        _transformations.once_differentiable(of_rows)(
            inputs,
            kernel,
            initial_state,
            mask,
            initial_inputs,
            *with_candidates(kept, inputs.dtype),
            *map(as_array, gradients),
        )
    )
    d_tensors = WindowTensors(
        d_inputs[0] if d_inputs else None,
        d_kernel,
        of_given(d_bias, bias),
        of_given(d_initial_state, initial_state),
        None,
        d_initial_inputs,
    )
    return (d_tensors,)


recurrence.defvjp(_recurrence_forward, _recurrence_backward, symbolic_zeros=True)


def _forward(
    tensors: WindowTensors, activation: str, go_backwards: bool, keeps_bits: bool
) -> list[jax.Array]:
    return forward(
        "addrnn_min_add_gru",
        tensors,
        _HAS_ROWS,
        keeps_bits,
        activation=activation,
        go_backwards=go_backwards,
    )
