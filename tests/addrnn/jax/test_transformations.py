"""The op under JAX's transformations: mapped, repeated, computed anew, differentiated twice."""

import functools

import numpy as np
import pytest

from tests import min_problems, support
from tests.agreement import assert_close
from tests.support import needs_core

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

import addrnn.jax  # noqa: E402
from tests.addrnn.jax.differentiated import (  # noqa: E402
    allowed,
    as_float64,
    differentiated,
    tensors_of,
    weighted,
)

pytestmark = needs_core

MAPPED = 3
ROWS = ("inputs", "initial_state", "mask", "initial_inputs")


def problems(kind):
    """The op, and some problems of one size for it to be mapped over."""
    if kind == "add":
        make = functools.partial(support.make_problem, sizes=(2, 5, 3, 7), mask="holes")
        op = addrnn.jax.add_gru
    else:
        make = functools.partial(min_problems.make_problem, sizes=(2, 5, 3, 7, 2), mask="holes")
        op = addrnn.jax.min_add_gru
    return op, [make(seed).away_from_kinks(1e-9) for seed in range(MAPPED)]


def shared(some, names):
    """The problems, with the named arguments of the first."""
    return [one.but(**{name: getattr(some[0], name) for name in names}) for one in some]


def arguments(problem):
    return {**problem.arrays, "mask": problem.mask}


def stacked(some, names):
    return {name: jnp.stack([arguments(one)[name] for one in some]) for name in names}


def calls(function, *given):
    """How many calls of handlers the function makes, and how many loops."""
    text = str(jax.make_jaxpr(function)(*given))
    return text.count("ffi_call["), text.count("scan[")


@pytest.mark.parametrize("mapped", ["rows", "inputs", "mask", "kernel", "all"])
@pytest.mark.parametrize("kind", ["add", "min"])
def test_vmap(kind, mapped):
    op, some = problems(kind)
    every = list(arguments(some[0]))
    names = {"rows": [n for n in every if n in ROWS], "all": every}.get(mapped, [mapped])
    some = shared(some, [name for name in every if name not in names])
    with allowed("float64"):
        rest = {n: jnp.asarray(a) for n, a in arguments(some[0]).items() if n not in names}

        def run(tensors):
            return op(**tensors, **rest)

        given = stacked(some, names)
        outputs, state = jax.jit(jax.vmap(run))(given)
        loops = calls(jax.vmap(run), given)
    assert loops == ((1, 0) if set(names) <= set(ROWS) else (1, 1))
    for one, problem in enumerate(some):
        got = as_float64({"outputs": outputs[one], "state": state[one]})
        assert_close(got, problem.expected(), 1e-11)


@pytest.mark.parametrize("kind", ["add", "min"])
def test_vmap_of_vmap(kind):
    op, some = problems(kind)
    with allowed("float64"):
        rest = {n: jnp.asarray(a) for n, a in arguments(some[0]).items() if n != "inputs"}
        inputs = jnp.stack([one.inputs for one in some])
        inputs = jnp.stack([inputs, -inputs], axis=2)  # [3, B, 2, T, D]
        run = jax.vmap(jax.vmap(lambda x: op(inputs=x, **rest)[1]), in_axes=2, out_axes=1)
        state = run(inputs)
        assert calls(run, inputs) == (1, 0)
    for one, problem in enumerate(some):
        for sign in (0, 1):
            moved = some[0].but(inputs=(1 - 2 * sign) * problem.inputs)
            np.testing.assert_allclose(state[one, sign], moved.expected()["state"], atol=1e-11)


@pytest.mark.parametrize("kind", ["add", "min"])
def test_vmap_of_grad_is_a_gradient_per_element(kind):
    op, some = problems(kind)
    names = [name for name in arguments(some[0]) if name in (*ROWS, "d_outputs")]
    some = shared(
        some, [n for n in arguments(some[0]) if n not in names] + ["d_outputs", "d_state"]
    )
    with allowed("float64"):
        weights = {n: jnp.asarray(a) for n, a in some[0].arrays.items() if n not in names}

        def loss(weights, rows):
            return weighted(op(**weights, **rows), some[0], "float64")

        per_element = jax.jit(jax.vmap(jax.grad(loss), in_axes=(None, 0)))
        gradients = per_element(weights, stacked(some, names))
    for one, problem in enumerate(some):
        got = as_float64({name: gradient[one] for name, gradient in gradients.items()})
        expected = problem.expected_gradients()
        assert_close(got, {name: expected[name] for name in weights}, 1e-11)


@pytest.mark.parametrize("kind", ["add", "min"])
def test_grad_of_vmap_sums_over_elements(kind):
    op, some = problems(kind)
    names = [name for name in arguments(some[0]) if name in ROWS]
    some = shared(
        some, [n for n in arguments(some[0]) if n not in names] + ["d_outputs", "d_state"]
    )
    with allowed("float64"):
        weights = {n: jnp.asarray(a) for n, a in some[0].arrays.items() if n not in names}

        def loss(weights, rows):
            one = lambda rows: weighted(op(**weights, **rows), some[0], "float64")  # noqa: E731
            return jnp.sum(jax.vmap(one)(rows))

        got = as_float64(jax.jit(jax.grad(loss))(weights, stacked(some, names)))
    sums = {n: sum(one.expected_gradients()[n] for one in some) for n in weights}
    assert_close(got, sums, 1e-11)


@pytest.mark.parametrize("kind", ["add", "min"])
def test_checkpoint_has_the_same_gradients(kind):
    op, (problem, *_) = problems(kind)

    def anew(**arguments):
        settings = {name: arguments.pop(name) for name in problem.settings}
        mask = arguments.pop("mask")
        return jax.checkpoint(lambda tensors: op(**tensors, mask=mask, **settings))(arguments)

    _, expected = differentiated(op, problem)
    _, gradients = differentiated(anew, problem)
    for name, value in expected.items():
        np.testing.assert_array_equal(gradients[name], value, err_msg=name)


@pytest.mark.parametrize("one_step", [False, True])
def test_scan_over_parts_of_a_sequence(one_step):
    from addrnn.gate import Gate
    from addrnn.jax import _op
    from addrnn.sequence import SequenceTensors

    problem = support.make_problem(0, (3, 6, 4, 5)).away_from_kinks(1e-9)

    def op(inputs, kernel, recurrent_kernel, bias, initial_state, mask, **settings):
        def part(state, inputs):
            given = SequenceTensors(inputs, kernel, recurrent_kernel, bias, state)
            outputs, state = _op.run(given, gate=Gate(), go_backwards=False)
            return state, outputs

        batch, steps, features = inputs.shape
        parts = inputs.reshape(batch, steps // 2, 2, features).swapaxes(0, 1)
        if one_step:
            parts = inputs.swapaxes(0, 1)
        state, outputs = jax.lax.scan(part, initial_state, parts)
        return outputs.swapaxes(0, 1).reshape(batch, steps, -1), state

    results, gradients = differentiated(op, problem, "float64")
    assert_close(results, problem.expected(), 1e-11)
    assert_close(gradients, problem.expected_gradients(), 1e-11)


@pytest.mark.parametrize("twice", ["grad", "hessian", "jit", "step"])
@pytest.mark.parametrize("kind", ["add", "min"])
def test_second_order_gradient_names_the_remedy(kind, twice):
    op, (problem, *_) = problems(kind)
    tensors = tensors_of(problem)

    def loss(bias):
        if twice == "step":
            from addrnn.gate import Gate
            from addrnn.jax import _op
            from addrnn.sequence import SequenceTensors

            step = support.make_problem(0, (2, 5, 3, 7)).as_dtype("float32")
            given = [jnp.asarray(a, "float32") for a in (step.inputs[:, 0], *step.arguments[1:3])]
            found = _op.run(SequenceTensors(*given, bias), gate=Gate(), go_backwards=False)[1]
            return jnp.sum(found**2)
        return jnp.sum(op(**tensors | {"bias": bias})[0] ** 2)

    def norm(bias):
        return jnp.sum(jax.grad(loss)(bias) ** 2)

    second = {
        "hessian": jax.hessian(loss),
        "jit": jax.jit(jax.grad(jax.jit(norm))),
    }.get(twice, jax.grad(norm))
    with pytest.raises(NotImplementedError, match='second-order.*implementation="composed"'):
        second(tensors["bias"])


def test_export_names_the_target():
    problem = support.make_problem(0, (2, 5, 3, 7)).as_dtype("float32")
    tensors = tensors_of(problem)
    function = jax.jit(lambda tensors: addrnn.jax.add_gru(**tensors))
    with pytest.raises(ValueError, match="addrnn_add_gru"):
        jax.export.export(function)(tensors)
    allow = [jax.export.DisabledSafetyCheck.custom_call("addrnn_add_gru")]
    exported = jax.export.export(function, disabled_checks=allow)(tensors)
    again = jax.export.deserialize(exported.serialize())
    np.testing.assert_array_equal(again.call(tensors)[0], function(tensors)[0])
