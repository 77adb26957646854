"""`addrnn.jax.add_gru`: values and gradients against the reference, and what it refuses."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.agreement import assert_close
from tests.support import (
    ACTIVATIONS,
    MASKS,
    draw_problem,
    make_kink_problem,
    make_problem,
    needs_core,
)

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

import addrnn.jax  # noqa: E402
from addrnn.gate import Gate  # noqa: E402
from addrnn.jax import _library, _op  # noqa: E402
from addrnn.sequence import SequenceTensors  # noqa: E402
from tests.addrnn.jax.differentiated import (  # noqa: E402
    DTYPES,
    TOLERANCE,
    allowed,
    as_float64,
    differentiated,
    tensors_of,
    weighted,
)

pytestmark = needs_core

SIZES = (3, 5, 4, 6)
SETTINGS = (
    {},
    {"mask": "holes", "bias": False, "initial_state": False},
    {"mask": "left", "go_backwards": True, "state_shift": 0.25, "state_max": 1.5},
)
SHAPES = {
    "inputs": (4, 6, 3),
    "kernel": (3, 10),
    "recurrent_kernel": (5, 10),
    "bias": (10,),
    "initial_state": (4, 5),
    "mask": (4, 6),
}

# Keras cannot be imported in this process.
WITHOUT_KERAS = """
import sys
sys.modules["keras"] = None
import jax
import addrnn.jax
x, kernel = jax.numpy.ones((2, 4, 3)), jax.numpy.ones((3, 10))
recurrent_kernel = jax.numpy.zeros((5, 10))
gradient = jax.grad(lambda x: addrnn.jax.add_gru(x, kernel, recurrent_kernel)[0].sum())(x)
assert gradient.shape == (2, 4, 3)
assert "keras_addrnn" not in sys.modules and "tensorflow" not in sys.modules
"""


def check(problem, dtype="float32", **how):
    results, gradients = differentiated(addrnn.jax.add_gru, problem, dtype, **how)
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
    problem = make_problem(1, (33, 3, 4, 5), mask="right", activation=activation).as_dtype(dtype)
    problem = problem.away_from_kinks(distance)
    assert problem.d_state.any()
    check(problem, dtype)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("go_backwards", [False, True])
def test_masks(mask, go_backwards):
    problem = make_problem(2, (5, 7, 3, 9), mask=mask, go_backwards=go_backwards)
    check(problem.away_from_kinks(1e-9), "float64")


@pytest.mark.parametrize(
    "sizes", [(1, 1, 1, 1), (0, 3, 2, 4), (2, 0, 3, 4), (2, 3, 0, 4), (0, 0, 0, 1), (7, 13, 31, 67)]
)
def test_sizes(sizes):
    for seed in range(3):
        check(draw_problem(seed, sizes).away_from_kinks(1e-9), "float64")


@pytest.mark.parametrize("activation", ["linear", "relu", "hard_tanh"])
def test_kinks_are_exact(activation):
    for seed, (state_shift, state_max) in enumerate([(0.0, None), (1.0, 2.0)]):
        problem = make_kink_problem(
            seed,
            (4, 4, 2, 3),
            mask="holes",
            activation=activation,
            state_shift=state_shift,
            state_max=state_max,
        )
        results, gradients = differentiated(addrnn.jax.add_gru, problem)
        for got, expected in (
            (results, problem.expected()),
            (gradients, problem.expected_gradients()),
        ):
            for name, value in expected.items():
                np.testing.assert_array_equal(got[name], value, err_msg=name)


@pytest.mark.parametrize("name", ["inputs", "kernel", "recurrent_kernel", "bias", "initial_state"])
def test_gradient_of_one_argument_alone(name):
    problem = make_problem(3, SIZES).as_dtype("float32")
    tensors = tensors_of(problem)

    def loss(value):
        return weighted(addrnn.jax.add_gru(**tensors | {name: value}), problem)

    alone = jax.jit(jax.grad(loss))(tensors[name])
    _, everything = differentiated(addrnn.jax.add_gru, problem)
    np.testing.assert_array_equal(alone, everything[name])


@pytest.mark.parametrize("result", [0, 1])
def test_gradient_of_one_result_alone(result):
    problem = make_problem(4, SIZES, mask="holes").away_from_kinks(1e-9)
    unused, used = ("d_state", "d_outputs")[:: 1 - 2 * result]
    problem = problem.but(**{unused: np.zeros_like(getattr(problem, unused))})
    with allowed("float64"):

        def loss(tensors):
            found = addrnn.jax.add_gru(**tensors, mask=problem.mask)[result]
            return jnp.sum(found * getattr(problem, used))

        got = as_float64(jax.grad(loss)(tensors_of(problem, "float64")))
    assert_close(got, problem.expected_gradients(), 1e-11)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("given", [True, False])
def test_one_step(given, activation, dtype):
    distance = {"float16": 1e-2, "bfloat16": 5e-2}.get(dtype, 1e-5)
    problem = make_problem(
        5, (17, 1, 4, 7), bias=given, initial_state=given, activation=activation, state_max=1.5
    )
    problem = problem.as_dtype(dtype).away_from_kinks(distance)
    gate = Gate(activation, 0.0, 1.5)
    assert _library.problem() is None

    def step(inputs, mask, **tensors):
        given = SequenceTensors(inputs=inputs[:, 0], **tensors)
        outputs, state = _op.run(given, gate=gate, go_backwards=False)
        return outputs[:, None], state

    def op(mask, activation, state_shift, state_max, go_backwards, **tensors):
        return step(mask=mask, **tensors)

    results, gradients = differentiated(op, problem, dtype)
    assert_close(results, problem.expected(), TOLERANCE[dtype])
    assert_close(gradients, problem.expected_gradients(), TOLERANCE[dtype])


def test_takes_arrays_lists_and_masks_of_numbers():
    problem = make_problem(2, SIZES, mask="holes").as_dtype("float32")
    arrays = {name: array.astype("float32") for name, array in problem.arrays.items()}
    arrays["bias"] = problem.bias.tolist()
    outputs, _ = addrnn.jax.add_gru(**arrays, mask=problem.mask.astype("int32"))
    np.testing.assert_allclose(outputs, problem.expected()["outputs"], rtol=1e-5, atol=1e-5)


def tensors(**changes):
    given = {name: jnp.zeros(shape) for name, shape in SHAPES.items()}
    given["mask"] = jnp.ones(SHAPES["mask"], bool)
    for name, change in changes.items():
        given[name] = jnp.zeros(change) if isinstance(change, tuple) else change
    return given


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    "argument, change, error, message",
    [
        ("inputs", (4, 3), ValueError, r"the shape \[batch, time, features\].*\(4, 3\)"),
        ("kernel", (2, 10), ValueError, r"the shape \[3, 10\].*\(2, 10\)"),
        ("recurrent_kernel", (5, 15), ValueError, r"the shape \[5, 10\].*\(5, 15\)"),
        ("recurrent_kernel", (0, 0), ValueError, r"at least one unit.*\(0, 0\)"),
        ("bias", (5,), ValueError, r"the shape \[10\].*\(5,\)"),
        ("initial_state", (1, 5), ValueError, r"the shape \[4, 5\].*\(1, 5\)"),
        ("mask", (6, 4), ValueError, r"the shape \[4, 6\].*\(6, 4\)"),
        ("kernel", None, TypeError, "be a tensor.*None"),
        ("inputs", np.zeros((4, 6, 3), "int32"), TypeError, "floating-point.*int32.*jnp.astype"),
        ("kernel", np.zeros((3, 10), "float16"), TypeError, "float32.*float16.*jnp.astype"),
        ("activation", "gelu", ValueError, "one of.*'gelu'"),
        ("activation", None, ValueError, "one of.*None"),
        ("state_shift", -1, ValueError, "at least 0"),
        ("state_max", float("nan"), ValueError, "a finite number.*Pass None"),
        ("go_backwards", 1, TypeError, "True or False"),
    ],
)
def test_refuses(argument, change, error, message, compiled):
    given = tensors(**{argument: change})
    arrays = {name: value for name, value in given.items() if hasattr(value, "shape")}
    rest = {name: value for name, value in given.items() if name not in arrays}

    def call(arrays):
        return addrnn.jax.add_gru(**arrays, **rest)

    with pytest.raises(error, match=f"Argument `{argument}` must .*{message}") as refused:
        (jax.jit(call) if compiled else call)(arrays)
    assert refused.value.argument == argument


def test_without_keras():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_KERAS], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_unknown_instruction_set_is_an_error():
    code = "import addrnn.jax; addrnn.jax.add_gru([[[1.0]]], [[1.0, 1.0]], [[0.0, 0.0]])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_ADDRNN_ISA": "mmx"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode != 0
    assert "KERAS_ADDRNN_ISA is 'mmx'" in done.stderr


def test_another_platform_names_the_remedy(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with pytest.raises(RuntimeError, match="JAX runs on gpu.*CPUs only.*JAX_PLATFORMS to cpu"):
        addrnn.jax.add_gru(**tensors())


def test_missing_core(monkeypatch):
    monkeypatch.setattr("addrnn._compiled_core.problem", lambda: "It is missing. Build it.")
    assert _library._why_not_registered.__wrapped__() == "It is missing. Build it."
    assert _library.description() == {}


def test_a_jax_that_refuses_the_handlers(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("API version 9.9")

    monkeypatch.setattr(jax.ffi, "register_ffi_target", refuse)
    problem = _library._why_not_registered.__wrapped__()
    assert jax.__version__ in problem and "API version 9.9" in problem and "Use JAX" in problem


def test_number_of_threads():
    before = addrnn.jax.num_threads()
    try:
        addrnn.jax.set_num_threads(3)
        assert addrnn.jax.num_threads() == 3 == _library.description()["threads"]
        problem = make_problem(0, (33, 20, 64, 130)).as_dtype("float32")
        three = addrnn.jax.add_gru(**tensors_of(problem))
        addrnn.jax.set_num_threads(1)
        np.testing.assert_array_equal(addrnn.jax.add_gru(**tensors_of(problem))[0], three[0])
    finally:
        addrnn.jax.set_num_threads(before)


@pytest.mark.parametrize("n, error", [(-1, ValueError), (2**31, ValueError), (1.5, TypeError)])
def test_number_of_threads_is_checked(n, error):
    with pytest.raises(error, match="`n` must be an integer"):
        addrnn.jax.set_num_threads(n)
