"""The operators of MinAddGRU: a sequence, and its gradient."""

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
    *_, activation, _, with_reserve = rest
    return results(inputs, kernel, activation, with_reserve)


def _compute(made: tuple[Tensor, ...], *arguments: Any) -> None:
    *tensors, activation, go_backwards, with_reserve = arguments
    written = made if with_reserve else made[:2]
    _library.load().min_add_gru(
        *capsules(*tensors, *written), activation=activation, go_backwards=go_backwards
    )


# Without `with_reserve` the last two results have no elements, as candidates have without tanh.
min_add_gru = define(
    "min_add_gru(Tensor inputs, Tensor kernel, Tensor? bias, Tensor? initial_state, Tensor? mask, "
    "Tensor? initial_inputs, str activation, bool go_backwards, bool with_reserve) "
    "-> (Tensor outputs, Tensor final_state, Tensor reserve, Tensor candidates)",
    _results,
    _compute,
)


def _gradients(inputs: Tensor, kernel: Tensor, *rest: Any) -> tuple[Tensor, ...]:
    *_, with_d_inputs, with_d_initial_inputs = rest
    taps, features, columns = kernel.shape
    batch = inputs.shape[0]
    return (
        inputs.new_empty(inputs.shape if with_d_inputs else (0,)),
        inputs.new_empty(kernel.shape),
        inputs.new_empty((columns,)),
        inputs.new_empty((batch, columns // 2)),
        inputs.new_empty((batch, taps - 1, features) if with_d_initial_inputs else (0,)),
    )


def _compute_gradients(made: tuple[Tensor, ...], *arguments: Any) -> None:
    *tensors, activation, go_backwards, with_d_inputs, with_d_initial_inputs = arguments
    d_inputs, *others, d_initial_inputs = made
    _library.load().min_add_gru_grad(
        *capsules(
            *tensors,
            d_inputs if with_d_inputs else None,
            *others,
            d_initial_inputs if with_d_initial_inputs else None,
        ),
        activation=activation,
        go_backwards=go_backwards,
    )


min_add_gru_grad = define(
    "min_add_gru_grad(Tensor inputs, Tensor kernel, Tensor? initial_state, Tensor? mask, "
    "Tensor? initial_inputs, Tensor reserve, Tensor candidates, Tensor d_outputs, "
    "Tensor d_final_state, str activation, bool go_backwards, bool with_d_inputs, "
    "bool with_d_initial_inputs) "
    "-> (Tensor d_inputs, Tensor d_kernel, Tensor d_bias, Tensor d_initial_state, "
    "Tensor d_initial_inputs)",
    _gradients,
    _compute_gradients,
)


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, kernel, bias, initial_state, mask, initial_inputs, activation, go_backwards, _ = inputs
    _, _, reserve, candidates = output
    ctx.save_for_backward(x, kernel, initial_state, mask, initial_inputs, reserve, candidates)
    ctx.mark_non_differentiable(reserve, candidates)
    ctx.set_materialize_grads(False)  # of the reserve, there would be zeros
    ctx.has_bias = bias is not None
    ctx.activation, ctx.go_backwards = activation, go_backwards


def _backward(
    ctx: Any, d_outputs: Optional, d_final_state: Optional, *_: Any
) -> tuple[Optional, ...]:
    saved = ctx.saved_tensors  # once: recomputing them, as checkpoints do, is for one use
    inputs, kernel, initial_state, *_ = saved
    with_d_inputs, with_d_initial_inputs = (ctx.needs_input_grad[i] for i in (0, 5))
    d_inputs, d_kernel, d_bias, d_initial_state, d_initial_inputs = min_add_gru_grad(
        *saved,
        *arriving(d_outputs, d_final_state, inputs, kernel),
        ctx.activation,
        ctx.go_backwards,
        with_d_inputs,
        with_d_initial_inputs,
    )
    return (
        d_inputs if with_d_inputs else None,
        d_kernel,
        d_bias if ctx.has_bias else None,
        None if initial_state is None else d_initial_state,
        None,
        d_initial_inputs if with_d_initial_inputs else None,
        *[None] * 3,
    )


differentiate("min_add_gru", _setup_context, _backward)
refuse_second_gradient("min_add_gru_grad")
