"""The operators of AddGRU: a sequence or a step, and their gradients."""

from typing import Any

import torch

from addrnn.torch import _library
from addrnn.torch._operators import (
    arriving,
    capsules,
    define,
    differentiate,
    refuse_second_gradient,
    results,
)

Tensor = torch.Tensor
Optional = torch.Tensor | None


def _results(inputs: Tensor, kernel: Tensor, *rest: Any) -> tuple[Tensor, ...]:
    *_, activation, _, _, _, with_reserve = rest
    return results(inputs, kernel, activation, with_reserve)


def _compute(made: tuple[Tensor, ...], *arguments: Any) -> None:
    *tensors, activation, state_shift, state_max, go_backwards, with_reserve = arguments
    _library.load().add_gru(
        *capsules(*tensors, *(made if with_reserve else made[:2])),
        activation=activation,
        state_shift=state_shift,
        state_max=state_max,
        go_backwards=go_backwards,
    )


# Without `with_reserve` the last two results have no elements, as candidates have without tanh.
add_gru = define(
    "add_gru(Tensor inputs, Tensor kernel, Tensor recurrent_kernel, Tensor? bias, "
    "Tensor? initial_state, Tensor? mask, str activation, float state_shift, float? state_max, "
    "bool go_backwards, bool with_reserve) "
    "-> (Tensor outputs, Tensor final_state, Tensor reserve, Tensor candidates)",
    _results,
    _compute,
)


def _gradients(
    inputs: Tensor, kernel: Tensor, recurrent_kernel: Tensor, *rest: Any
) -> tuple[Tensor, ...]:
    *_, with_d_inputs = rest
    units, columns = recurrent_kernel.shape
    return (
        inputs.new_empty(inputs.shape if with_d_inputs else (0,)),
        inputs.new_empty(kernel.shape),
        inputs.new_empty((units, columns)),
        inputs.new_empty((columns,)),
        inputs.new_empty((inputs.shape[0], units)),
    )


def _compute_gradients(made: tuple[Tensor, ...], *arguments: Any) -> None:
    *tensors, activation, go_backwards, with_d_inputs = arguments
    d_inputs, *others = made
    _library.load().add_gru_grad(
        *capsules(*tensors, d_inputs if with_d_inputs else None, *others),
        activation=activation,
        go_backwards=go_backwards,
    )


add_gru_grad = define(
    "add_gru_grad(Tensor inputs, Tensor kernel, Tensor recurrent_kernel, Tensor? initial_state, "
    "Tensor outputs, Tensor reserve, Tensor candidates, Tensor d_outputs, Tensor d_final_state, "
    "str activation, bool go_backwards, bool with_d_inputs) "
    "-> (Tensor d_inputs, Tensor d_kernel, Tensor d_recurrent_kernel, Tensor d_bias, "
    "Tensor d_initial_state)",
    _gradients,
    _compute_gradients,
)


def _step_gradients(
    reserve: Tensor, _candidates: Tensor, d_outputs: Tensor, *_: Any
) -> tuple[Tensor, ...]:
    batch, units = reserve.shape
    return d_outputs.new_empty((batch, 2 * units)), d_outputs.new_empty((batch, units))


def _compute_step_gradients(made: tuple[Tensor, ...], *arguments: Any) -> None:
    *tensors, activation = arguments
    _library.load().add_gru_step_grad(*capsules(*tensors, *made), activation=activation)


add_gru_step_grad = define(
    "add_gru_step_grad(Tensor reserve, Tensor candidates, Tensor d_outputs, Tensor d_final_state, "
    "str activation) -> (Tensor d_sums, Tensor d_state)",
    _step_gradients,
    _compute_step_gradients,
)


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, kernel, recurrent_kernel, bias, initial_state, _, activation, _, _, go_backwards, _ = inputs
    outputs, _, reserve, candidates = output
    ctx.save_for_backward(x, kernel, recurrent_kernel, initial_state, outputs, reserve, candidates)
    ctx.mark_non_differentiable(reserve, candidates)
    ctx.set_materialize_grads(False)  # of the reserve, there would be zeros
    ctx.has_bias = bias is not None
    ctx.activation, ctx.go_backwards = activation, go_backwards


def _backward(
    ctx: Any, d_outputs: Optional, d_final_state: Optional, *_: Any
) -> tuple[Optional, ...]:
    saved = ctx.saved_tensors  # once: recomputing them, as checkpoints do, is for one use
    inputs, kernel, _, initial_state, *_ = saved
    arrived = arriving(d_outputs, d_final_state, inputs, kernel)
    with_d_inputs = ctx.needs_input_grad[0]
    if inputs.dim() == 2:
        gradients = _of_a_step(saved, *arrived, ctx.activation, with_d_inputs)
    else:
        gradients = add_gru_grad(*saved, *arrived, ctx.activation, ctx.go_backwards, with_d_inputs)
    d_inputs, d_kernel, d_recurrent_kernel, d_bias, d_initial_state = gradients
    return (
        d_inputs if with_d_inputs else None,
        d_kernel,
        d_recurrent_kernel,
        d_bias if ctx.has_bias else None,
        None if initial_state is None else d_initial_state,
        *[None] * 6,
    )


def _of_a_step(
    saved: tuple[Any, ...],
    d_outputs: Tensor,
    d_final_state: Tensor,
    activation: str,
    with_d_inputs: bool,
) -> tuple[Optional, ...]:
    """The gradients of a single step.

    A loop adds up the weights' gradients step by step. PyTorch's own products do that without
    packing the weights anew each time.
    """
    inputs, kernel, recurrent_kernel, initial_state, _, reserve, candidates = saved
    d_sums, d_state = add_gru_step_grad(reserve, candidates, d_outputs, d_final_state, activation)
    d_inputs = d_sums @ kernel.T if with_d_inputs else None
    if initial_state is None:
        d_recurrent_kernel, d_initial_state = torch.zeros_like(recurrent_kernel), None
    else:
        d_recurrent_kernel = initial_state.T @ d_sums
        d_initial_state = d_state + d_sums @ recurrent_kernel.T
    return d_inputs, inputs.T @ d_sums, d_recurrent_kernel, d_sums.sum(0), d_initial_state


differentiate("add_gru", _setup_context, _backward)
refuse_second_gradient("add_gru_grad")
refuse_second_gradient("add_gru_step_grad")
