"""How an operator is made known to PyTorch: its results, its kernel for CPUs, and its gradient."""

from collections.abc import Callable
from typing import Any

import torch

from addrnn import _compiled_core
from addrnn.torch import _library

_operators = torch.library.Library("addrnn", "DEF")


def define(
    schema: str, allocate: Callable[..., Any], compute: Callable[..., None]
) -> Callable[..., Any]:
    """Defines the operator `addrnn::name` for CPUs, and returns it.

    Args:
        schema: `name(arguments) -> results`. Nothing has a default, so that every function here is
            called with all arguments, by position.
        allocate: Makes the tensors of the results, whose numbers do not matter. Where tensors have
            no numbers, as in `torch.compile` and on the device "meta", it is all that runs.
        compute: Writes the numbers. Called with the results, and then the arguments.
    """
    name = schema.partition("(")[0]
    _operators.define(schema, tags=(torch.Tag.pt2_compliant_tag,))

    @torch.compiler.disable
    def run(*arguments: Any) -> Any:
        results = allocate(*arguments)
        compute(results, *arguments)
        return results

    _operators.impl(name, run, "CPU")
    torch.library.register_fake(f"addrnn::{name}", allocate, lib=_operators)
    overload: Callable[..., Any] = getattr(torch.ops.addrnn, name).default
    return overload


def differentiate(
    name: str, setup_context: Callable[..., None], backward: Callable[..., Any]
) -> None:
    """Tells PyTorch the gradient of an operator, as `torch.library.register_autograd` does."""
    torch.library.register_autograd(
        f"addrnn::{name}", backward, setup_context=setup_context, lib=_operators
    )


def refuse_second_gradient(name: str) -> None:
    """Makes an operator that is a gradient say that it has none itself."""

    def backward(_ctx: Any, *_: Any) -> None:
        raise NotImplementedError(_compiled_core.NO_SECOND_GRADIENT)

    torch.library.register_autograd(f"addrnn::{name}", backward, lib=_operators)


def capsules(*tensors: torch.Tensor | None) -> list[Any]:
    """Each tensor as the core takes it: dense, in a DLPack capsule; None stays None."""
    return [None if tensor is None else torch.to_dlpack(tensor.contiguous()) for tensor in tensors]


def results(
    inputs: torch.Tensor, kernel: torch.Tensor, activation: str, with_reserve: bool
) -> tuple[torch.Tensor, ...]:
    """Memory for outputs and last state, and for bits and candidates where a call keeps them."""
    units = kernel.shape[-1] // 2
    sequence = (*inputs.shape[:-1], units)
    return (
        inputs.new_empty(sequence),
        inputs.new_empty((inputs.shape[0], units)),
        inputs.new_empty(sequence if with_reserve else (0,), dtype=torch.uint8),
        inputs.new_empty(sequence if with_reserve and activation == "tanh" else (0,)),
    )


def arriving(
    d_outputs: torch.Tensor | None,
    d_final_state: torch.Tensor | None,
    inputs: torch.Tensor,
    kernel: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradients of both results. One is None where nothing depends on the result: zeros."""
    units = kernel.shape[-1] // 2
    if d_outputs is None:
        d_outputs = inputs.new_zeros((*inputs.shape[:-1], units))
    if d_final_state is None:
        d_final_state = inputs.new_zeros((inputs.shape[0], units))
    return d_outputs, d_final_state


def needs_gradient(tensors: Any) -> bool:
    """Whether autograd will differentiate a call with these tensors, of which some are None.

    Raises:
        NotImplementedError: It is to compute tangents, which PyTorch would take for zeros.
    """
    if _library.in_forward_mode():
        raise NotImplementedError(
            "The fused op has no forward-mode derivative (torch.func.jvp). Use reverse mode; "
            'or in Keras implementation="composed".'
        )
    return torch.is_grad_enabled() and any(
        tensor is not None and tensor.requires_grad for tensor in tensors
    )
