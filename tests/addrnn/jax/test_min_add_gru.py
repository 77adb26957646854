"""`addrnn.jax.min_add_gru`: values and gradients against the reference, and what it refuses."""

import numpy as np
import pytest

from tests.agreement import assert_close
from tests.min_problems import make_integer_problem, make_problem
from tests.support import ACTIVATIONS, MASKS, needs_core

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

import addrnn.jax  # noqa: E402
from tests.addrnn.jax.differentiated import (  # noqa: E402
    DTYPES,
    TOLERANCE,
    differentiated,
    tensors_of,
    weighted,
)

pytestmark = needs_core

SIZES = (3, 7, 4, 9, 3)
SETTINGS = (
    {},
    {"mask": "holes", "bias": False, "initial": False},
    {"mask": "left", "go_backwards": True},
)


def check(problem, dtype="float32", **how):
    results, gradients = differentiated(addrnn.jax.min_add_gru, problem, dtype, **how)
    assert_close(results, problem.expected(), TOLERANCE[dtype], dtype)
    assert_close(gradients, problem.expected_gradients(), TOLERANCE[dtype], f"{dtype} gradient of")


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_agrees_with_the_reference(activation, settings, compiled):
    problem = make_problem(0, SIZES, **settings, activation=activation).away_from_kinks(1e-9)
    check(problem, "float64", compiled=compiled)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dtypes(activation, dtype):
    distance = {"float16": 1e-2, "bfloat16": 5e-2}.get(dtype, 1e-5)
    problem = make_problem(1, (33, 3, 4, 5, 2), mask="right", activation=activation)
    problem = problem.as_dtype(dtype).away_from_kinks(distance)
    assert problem.d_state.any()
    check(problem, dtype)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("go_backwards", [False, True])
def test_masks(mask, go_backwards):
    problem = make_problem(2, (5, 7, 3, 9, 4), mask=mask, go_backwards=go_backwards)
    check(problem.away_from_kinks(1e-9), "float64")


@pytest.mark.parametrize(
    "sizes",
    [
        (1, 1, 1, 1, 1),
        (0, 3, 2, 4, 2),
        (2, 0, 3, 4, 2),
        (2, 3, 0, 4, 2),
        (2, 2, 3, 4, 5),
        (7, 13, 31, 67, 3),
    ],
)
def test_sizes(sizes):
    check(make_problem(3, sizes).away_from_kinks(1e-9), "float64")


@pytest.mark.parametrize("activation", ["linear", "relu", "hard_tanh"])
def test_kinks_are_exact(activation):
    problem = make_integer_problem(0, (4, 4, 2, 3, 2), mask="holes", activation=activation)
    results, gradients = differentiated(addrnn.jax.min_add_gru, problem)
    expected = problem.expected() | problem.expected_gradients()
    for name, value in (results | gradients).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


@pytest.mark.parametrize("name", ["inputs", "kernel", "bias", "initial_state", "initial_inputs"])
def test_gradient_of_one_argument_alone(name):
    problem = make_problem(3, SIZES).as_dtype("float32")
    tensors = tensors_of(problem)

    def loss(value):
        return weighted(addrnn.jax.min_add_gru(**tensors | {name: value}), problem)

    alone = jax.jit(jax.grad(loss))(tensors[name])
    _, everything = differentiated(addrnn.jax.min_add_gru, problem)
    np.testing.assert_array_equal(alone, everything[name])


@pytest.mark.parametrize(
    "argument, change, error, message",
    [
        ("inputs", (4, 3), ValueError, r"the shape \[batch, time, features\].*\(4, 3\)"),
        ("kernel", (2, 4, 10), ValueError, r"the shape \[2, 3, 10\].*\(2, 4, 10\)"),
        ("kernel", (2, 3, 9), ValueError, "at least one tap and one unit"),
        ("bias", (5,), ValueError, r"the shape \[10\].*\(5,\)"),
        ("initial_inputs", (4, 2, 3), ValueError, r"the shape \[4, 1, 3\].*\(4, 2, 3\)"),
        ("kernel", None, TypeError, "be a tensor.*None"),
        ("inputs", np.zeros((4, 6, 3), "int32"), TypeError, "floating-point.*int32.*jnp.astype"),
        ("bias", np.zeros(10, "float16"), TypeError, "float32.*float16.*jnp.astype"),
        ("activation", "gelu", ValueError, "one of.*'gelu'"),
        ("go_backwards", 1, TypeError, "True or False"),
    ],
)
def test_refuses(argument, change, error, message):
    shapes = {
        "inputs": (4, 6, 3),
        "kernel": (2, 3, 10),
        "bias": (10,),
        "initial_state": (4, 5),
        "initial_inputs": (4, 1, 3),
    }
    given = {name: jnp.zeros(shape) for name, shape in shapes.items()}
    given[argument] = jnp.zeros(change) if isinstance(change, tuple) else change
    with pytest.raises(error, match=f"Argument `{argument}` must .*{message}") as refused:
        addrnn.jax.min_add_gru(**given)
    assert refused.value.argument == argument
