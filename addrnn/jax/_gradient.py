"""AddGRU with its gradient, which reads the bits that the forward pass kept for it."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from addrnn.gate import Gate
from addrnn.jax import _call, _transformations
from addrnn.sequence import SequenceTensors

# Of each tensor, whether its first axis is the batch.
_HAS_ROWS = SequenceTensors(True, False, False, False, True, True)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def recurrence(
    tensors: SequenceTensors, gate: Gate, go_backwards: bool
) -> tuple[jax.Array, jax.Array]:
    """Outputs and last state. An optional tensor that is absent comes without elements."""
    outputs, state = _forward(tensors, gate, go_backwards, keeps_bits=False)
    return outputs, state


def _recurrence_forward(tensors: Any, gate: Gate, go_backwards: bool) -> Any:
    wanted = Wanted(inputs=tensors.inputs.perturbed)
    tensors = jax.custom_derivatives.custom_vjp_primal_tree_values(tensors)
    outputs, state, *kept = _forward(tensors, gate, go_backwards, keeps_bits=True)
    return (outputs, state), (tensors, outputs, kept, wanted)


def _recurrence_backward(
    gate: Gate, go_backwards: bool, residuals: Any, gradients: Any
) -> tuple[SequenceTensors]:
    tensors, outputs, kept, wanted = residuals
    reserve, candidates = with_candidates(kept, outputs.dtype)
    arrived = (reserve, candidates, *map(as_array, gradients))
    if tensors.inputs.ndim == 2:
        d_tensors = _step_gradient(tensors, arrived, gate, wanted)
    else:
        d_tensors = _sequence_gradient(tensors, outputs, arrived, gate, go_backwards, wanted)
    return (d_tensors,)


recurrence.defvjp(_recurrence_forward, _recurrence_backward, symbolic_zeros=True)


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Wanted:
    """What JAX wants a gradient of, as far as it is worth leaving out."""

    inputs: bool


def with_candidates(kept: list[jax.Array], dtype: Any) -> tuple[jax.Array, jax.Array]:
    """The bits, and the candidates or a tensor without elements; candidates are kept for tanh."""
    reserve, *candidates = kept
    return reserve, candidates[0] if candidates else jnp.zeros(0, dtype)


def as_array(gradient: Any) -> jax.Array:
    """A gradient that arrives, of which JAX tells in another way where it is zero."""
    if isinstance(gradient, jax.custom_derivatives.SymbolicZero):
        return jnp.zeros(gradient.shape, gradient.dtype)
    array: jax.Array = gradient
    return array


def of_given(gradient: jax.Array, tensor: jax.Array) -> jax.Array | None:
    """The gradient, or None for zeros where the optional tensor is absent."""
    return gradient if tensor.size else None


def forward(
    target: str, tensors: Any, has_rows: Any, keeps_bits: bool, **attributes: Any
) -> list[jax.Array]:
    """Outputs and last state by a handler, and what is kept of them: the bits, candidates for tanh.

    Args:
        target: Name of the handler.
        tensors: Its arguments, the inputs and the kernel first.
        has_rows: Of each, whether its first axis is the batch.
        keeps_bits: Whether a gradient follows.
        attributes: The handler's.
    """
    count = 2 + keeps_bits + (keeps_bits and attributes["activation"] == "tanh")

    def compute(*tensors: jax.Array) -> list[jax.Array]:
        inputs, kernel, *_ = tensors
        units, dtype = kernel.shape[-1] // 2, inputs.dtype
        sequence = (*inputs.shape[:-1], units)
        state = (inputs.shape[0], units)
        results = [(sequence, dtype), (state, dtype), (sequence, jnp.uint8), (sequence, dtype)]
        return _call.call(target, tensors, results[:count], **attributes)

    of_rows = _transformations.of_rows(compute, has_rows, [True] * count)
    found: list[jax.Array] = _transformations.once_differentiable(of_rows)(*tensors)
    return found


def _forward(
    tensors: SequenceTensors, gate: Gate, go_backwards: bool, keeps_bits: bool
) -> list[jax.Array]:
    return forward(
        "addrnn_add_gru",
        tensors,
        _HAS_ROWS,
        keeps_bits,
        activation=gate.activation,
        state_shift=np.float64(gate.state_shift),
        state_max=np.float64(gate.upper_bound),
        go_backwards=go_backwards,
    )


def _sequence_gradient(
    tensors: SequenceTensors,
    outputs: jax.Array,
    arrived: tuple[jax.Array, ...],
    gate: Gate,
    go_backwards: bool,
    wanted: Wanted,
) -> SequenceTensors:
    inputs, kernel, recurrent_kernel, bias, initial_state, _ = tensors

    def backward(*arguments: jax.Array) -> list[jax.Array]:
        inputs, kernel, recurrent_kernel, *_ = arguments
        (units, columns), dtype = recurrent_kernel.shape, inputs.dtype
        results: list[_call.Result] = [
            (kernel.shape, dtype),
            (recurrent_kernel.shape, dtype),
            ((columns,), dtype),
            ((inputs.shape[0], units), dtype),
        ]
        if wanted.inputs:
            results.append((inputs.shape, dtype))
        return _call.call(
            "addrnn_add_gru_grad",
            arguments,
            results,
            activation=gate.activation,
            go_backwards=go_backwards,
        )

    has_rows = (True, False, False, *[True] * 6)
    results_have_rows = (False, False, False, True, True)[: 4 + wanted.inputs]
    of_rows = _transformations.of_rows(backward, has_rows, results_have_rows)
    d_kernel, d_recurrent_kernel, d_bias, d_initial_state, *d_inputs = (
        _transformations.once_differentiable(of_rows)(
            inputs, kernel, recurrent_kernel, initial_state, outputs, *arrived
        )
    )
    return SequenceTensors(
        d_inputs[0] if d_inputs else None,
        d_kernel,
        d_recurrent_kernel,
        of_given(d_bias, bias),
        of_given(d_initial_state, initial_state),
    )


def _step_gradient(
    tensors: SequenceTensors, arrived: tuple[jax.Array, ...], gate: Gate, wanted: Wanted
) -> SequenceTensors:
    """The gradient of a single step, whose products are JAX's: a loop adds up those of weights."""
    inputs, kernel, recurrent_kernel, bias, initial_state, _ = tensors

    def backward(*arguments: jax.Array) -> list[jax.Array]:
        (batch, units), dtype = arguments[0].shape, arguments[-1].dtype
        results = [((batch, 2 * units), dtype), ((batch, units), dtype)]
        return _call.call(
            "addrnn_add_gru_step_grad", arguments, results, activation=gate.activation
        )

    of_rows = _transformations.of_rows(backward, [True] * 4, [True] * 2)
    d_sums, d_state = _transformations.once_differentiable(of_rows)(*arrived)
    given_state = initial_state.size > 0
    return SequenceTensors(
        d_sums @ kernel.T if wanted.inputs else None,
        inputs.T @ d_sums,
        initial_state.T @ d_sums if given_state else None,
        of_given(d_sums.sum(axis=0), bias),
        d_state + d_sums @ recurrent_kernel.T if given_state else None,
    )
