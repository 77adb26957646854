"""A batch that is shared out between two devices of one process; run as a process of its own."""

import sys

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

from addrnn.jax import add_gru, min_add_gru
from tests import min_problems, support
from tests.addrnn.jax.differentiated import as_float64
from tests.agreement import assert_close

ROWS = ("inputs", "initial_state", "mask", "initial_inputs", "d_outputs", "d_state")


def in_jit(loss, mesh):
    """XLA shares the rows out: no device gets those of the other."""
    function = jax.jit(jax.value_and_grad(loss, has_aux=True))

    def run(weights, rows):
        compiled = function.lower(weights, rows).compile()
        assert "all-gather" not in compiled.as_text() and "all-reduce" in compiled.as_text()
        return compiled(weights, rows)

    return run


def in_shard_map(loss, mesh):
    """Each device computes its rows; gradients of weights are added up."""

    def parts(weights, rows):
        value, results = loss(weights, rows)
        return jax.lax.psum(value, "batch"), results

    rows, alike = PartitionSpec("batch"), PartitionSpec()
    whole = jax.shard_map(parts, mesh=mesh, in_specs=(alike, rows), out_specs=(alike, rows))
    return jax.jit(jax.value_and_grad(whole, has_aux=True))


def check(op, problem, way):
    mesh = jax.make_mesh((2,), ("batch",))
    tensors = {
        **problem.arrays,
        "mask": problem.mask,
        "d_outputs": problem.d_outputs,
        "d_state": problem.d_state,
    }

    def placed(name, array):
        spec = PartitionSpec("batch") if name in ROWS else PartitionSpec()
        return jax.device_put(jnp.asarray(array), NamedSharding(mesh, spec))

    tensors = {name: placed(name, array) for name, array in tensors.items()}
    rows = {name: tensors.pop(name) for name in ROWS if name in tensors}

    def loss(weights, rows):
        rows = dict(rows)
        d_outputs, d_state = rows.pop("d_outputs"), rows.pop("d_state")
        outputs, state = op(**weights, **rows, **problem.settings)
        return jnp.sum(outputs * d_outputs) + jnp.sum(state * d_state), (outputs, state)

    (_, results), gradients = way(loss, mesh)(tensors, rows)
    got = as_float64(dict(zip(("outputs", "state"), results, strict=True)))
    assert_close(got, problem.expected(), 1e-11)
    expected = problem.expected_gradients()
    assert_close(as_float64(gradients), {name: expected[name] for name in tensors}, 1e-11)


if __name__ == "__main__":
    assert jax.device_count() == 2
    ways = {"jit": in_jit, "shard_map": in_shard_map}
    with jax.enable_x64(True):
        for activation in ("relu", "tanh"):
            settings = {"mask": "holes", "activation": activation}
            problem = support.make_problem(0, (6, 5, 3, 7), **settings)
            check(add_gru, problem.away_from_kinks(1e-9), ways[sys.argv[1]])
            problem = min_problems.make_problem(0, (6, 5, 3, 7, 2), **settings)
            check(min_add_gru, problem.away_from_kinks(1e-9), ways[sys.argv[1]])
    print("as on one device")
