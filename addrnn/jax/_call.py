"""A call of a handler in the compiled core."""

from collections.abc import Sequence
from typing import Any

import jax

# The axes of a mesh over which a tensor varies: their name in JAX 0.10, and in 0.8 and 0.9.
_VARIES = "manual_axis_type" if hasattr(jax.core.ShapedArray, "manual_axis_type") else "vma"

# The shape and the dtype of a result.
Result = tuple[tuple[int, ...], Any]


def call(
    target: str, arguments: Sequence[jax.Array], results: Sequence[Result], **attributes: Any
) -> list[jax.Array]:
    """Calls a handler. `jax.vmap` calls it once for each element of the mapped axis.

    Args:
        target: Name under which the handler is registered.
        arguments: Its tensors.
        results: What it is to make.
        attributes: Its settings, of which numbers are `np.float64`.
    """
    arguments = vary_alike(arguments)
    like = jax.typeof(arguments[0])
    # In `jax.shard_map` the results vary as the arguments do.
    place: dict[str, Any] = {}
    if _varies_over(arguments[0]):
        sharding = jax.sharding.NamedSharding(like.sharding.mesh, jax.sharding.PartitionSpec())
        place = {"sharding": sharding, _VARIES: getattr(like, _VARIES)}
    types = [jax.ShapeDtypeStruct(shape, dtype, **place) for shape, dtype in results]
    function = jax.ffi.ffi_call(target, types, vmap_method="sequential")
    return list(function(*arguments, **attributes))


def vary_alike(tensors: Any) -> Any:
    """The tensors of a structure as `jax.shard_map` wants those of one call.

    They vary over the same axes of its mesh. The gradient of one that did not vary is then the sum
    over the parts. Outside of `jax.shard_map` nothing varies, and nothing happens.
    """
    leaves = jax.tree.leaves(tensors)
    axes = frozenset[str]().union(*(_varies_over(leaf) for leaf in leaves))

    def vary(leaf: jax.Array) -> Any:
        return jax.lax.pcast(leaf, tuple(axes - _varies_over(leaf)), to="varying")

    return jax.tree.map(vary, tensors) if axes else tensors


def _varies_over(tensor: jax.Array) -> frozenset[str]:
    varies = getattr(jax.typeof(tensor), _VARIES)
    axes: frozenset[str] = getattr(varies, "varying", varies)
    return axes
