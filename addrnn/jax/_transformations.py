"""How JAX's transformations treat a function that calls a handler."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which raises a `NotImplementedError` where JAX differentiates it.

    Forward and backward pass are such functions: who differentiates one wants a gradient's
    gradient.
    """
    wrapped = jax.custom_jvp(function)

    @wrapped.defjvp
    def refuse(_primals: Any, _tangents: Any) -> Any:
        raise NotImplementedError(
            "The fused op has no second-order gradient. "
            'Use implementation="composed" for a model whose gradients are differentiated again.'
        )

    return wrapped


def with_joined_rows(function: Callable[..., Any], has_rows: Sequence[bool]) -> Callable[..., Any]:
    """The function, which `jax.vmap` calls once for all rows of a mapped axis where it can.

    It can where no argument is mapped but those whose first axis is the batch. Otherwise the
    function is called once for each element.

    Args:
        function: Takes tensors, and returns a list of tensors whose first axis is the batch.
        has_rows: For each argument, whether its first axis is the batch, too. It is that of the
            first argument.
    """
    wrapped = jax.custom_batching.custom_vmap(function)

    @wrapped.def_vmap
    def rule(size: int, mapped: Sequence[bool], *tensors: jax.Array) -> Any:
        if any(is_mapped and not rows for is_mapped, rows in zip(mapped, has_rows, strict=True)):
            axes = [0 if is_mapped else None for is_mapped in mapped]
            results = jax.vmap(function, axes)(*tensors)
        else:
            joined = [
                _join(tensor, size, is_mapped) if rows else tensor
                for tensor, is_mapped, rows in zip(tensors, mapped, has_rows, strict=True)
            ]
            batch = tensors[0].shape[1 if mapped[0] else 0]
            results = [
                result.reshape(size, batch, *result.shape[1:]) for result in wrapped(*joined)
            ]
        return results, [True] * len(results)

    return wrapped


def _join(tensor: jax.Array, size: int, is_mapped: bool) -> jax.Array:
    if not is_mapped:
        tensor = jnp.broadcast_to(tensor, (size, *tensor.shape))
    return tensor.reshape(size * tensor.shape[1], *tensor.shape[2:])
