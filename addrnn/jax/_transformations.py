"""How JAX's transformations treat a function that calls a handler."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from addrnn import _compiled_core
from addrnn.jax import _partitioning


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which raises a `NotImplementedError` where JAX differentiates it.

    Forward and backward pass are such functions: who differentiates one wants a gradient's
    gradient.
    """
    wrapped = jax.custom_jvp(function)

    @wrapped.defjvp
    def refuse(_primals: Any, _tangents: Any) -> Any:
        raise NotImplementedError(_compiled_core.NO_SECOND_GRADIENT)

    return wrapped


def of_rows(
    function: Callable[..., Any], has_rows: Sequence[bool], results_have_rows: Sequence[bool]
) -> Callable[..., Any]:
    """The function, which `jax.vmap` and `jax.jit` tell the rows of the batch of.

    `jax.vmap` calls it once for all rows of a mapped axis where each result has rows, and no
    argument is mapped but those that have. Otherwise it calls it once for each element. `jax.jit`
    shares the rows out among the devices of one process.

    Args:
        function: Takes tensors, and returns a list of them.
        has_rows: For each argument, whether its first axis is the batch. It is that of the first
            argument.
        results_have_rows: The same for the results. One without rows is a sum over all rows.
    """
    shared_out = _partitioning.by_rows(function, has_rows, results_have_rows)
    wrapped = jax.custom_batching.custom_vmap(shared_out)
    joins = all(results_have_rows)

    @wrapped.def_vmap
    def rule(size: int, mapped: Sequence[bool], *tensors: jax.Array) -> Any:
        pairs = list(zip(mapped, has_rows, strict=True))
        if not joins or any(is_mapped and not rows for is_mapped, rows in pairs):
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
