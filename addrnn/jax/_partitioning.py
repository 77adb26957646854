"""How `jax.jit` shares the rows of a batch out among the devices of one process."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.experimental.custom_partitioning import custom_partitioning
from jax.sharding import NamedSharding, PartitionSpec


def by_rows(
    function: Callable[..., Any], has_rows: Sequence[bool], results_have_rows: Sequence[bool]
) -> Callable[..., Any]:
    """The function, of which each device computes the rows of the batch that lie there.

    On a single device, and within `jax.shard_map`, it is the function itself.

    Args:
        function: Takes tensors, and returns a list of them.
        has_rows: For each argument, whether its first axis is the batch. It is that of the first
            argument. One without elements is absent, and has none.
        results_have_rows: The same for the results. One without rows is a sum over all rows.
    """
    wrapped = custom_partitioning(function)

    def partition(mesh: Any, arguments: Any, results: Any) -> Any:
        axes = next(iter(getattr(arguments[0].sharding, "spec", ())), None)
        rows, alike = NamedSharding(mesh, PartitionSpec(axes)), NamedSharding(mesh, PartitionSpec())

        def part(*tensors: jax.Array) -> Any:
            found = function(*tensors)
            return [
                one if rows or axes is None else jax.lax.psum(one, axes)
                for one, rows in zip(found, results_have_rows, strict=True)
            ]

        places = [
            rows if has and 0 not in tensor.shape else alike
            for tensor, has in zip(arguments, has_rows, strict=True)
        ]
        return mesh, part, [rows if has else alike for has in results_have_rows], tuple(places)

    def rule(_mesh: Any, arguments: Any, results: Any) -> Any:
        """As in `einsum`, with `b` for the batch: every other axis is whole on each device."""
        whole: list[str] = []

        def axes(name: str, types: Any, have_rows: Sequence[bool]) -> str:
            texts = []
            for i, (kind, has) in enumerate(zip(types, have_rows, strict=True)):
                names = [f"{name}{i}axis{j}" for j in range(len(kind.shape))]
                if has and 0 not in kind.shape:
                    names[0] = "b"
                whole.extend(one for one in names if one != "b")
                texts.append(" ".join(names))
            return ", ".join(texts)

        text = f"{axes('in', arguments, has_rows)} -> {axes('out', results, results_have_rows)}"
        return text, {"need_replication_factors": tuple(whole)}

    wrapped.def_partition(partition, sharding_rule=rule)
    return wrapped
