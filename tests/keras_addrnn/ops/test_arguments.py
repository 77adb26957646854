"""Arguments of the functional ops that are refused, by name, value and expectation."""

import math

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from keras_addrnn.ops import _arguments
from tests.support import IMPLEMENTATIONS

pytestmark = pytest.mark.backend_neutral

SHAPES = {
    "inputs": (4, 6, 3),
    "kernel": (3, 10),
    "recurrent_kernel": (5, 10),
    "bias": (10,),
    "initial_state": (4, 5),
    "mask": (4, 6),
}
WRONG_SHAPES = (
    ("inputs", (4, 3), r"\[batch, time, features\].*\(4, 3\)"),
    ("inputs", (4, 6, 3, 1), r"\[batch, time, features\]"),
    ("inputs", (3,), r"\[batch, time, features\]"),
    ("kernel", (2, 10), r"\[3, 10\].*\(2, 10\)"),
    ("kernel", (3, 12), r"\[3, 10\].*\(3, 12\)"),
    ("kernel", (3, 5, 2), r"\[3, 10\]"),
    ("recurrent_kernel", (5, 15), r"\[5, 10\].*\(5, 15\)"),
    ("recurrent_kernel", (10, 5), r"\[10, 20\].*\(10, 5\)"),
    ("recurrent_kernel", (10,), r"\[units, 2 \* units\].*\(10,\)"),
    ("recurrent_kernel", (0, 0), r"at least one unit.*\(0, 0\)"),
    ("bias", (5,), r"\[10\].*\(5,\)"),
    ("bias", (1, 10), r"\[10\].*\(1, 10\)"),
    ("initial_state", (3, 5), r"\[4, 5\].*\(3, 5\)"),
    ("initial_state", (1, 5), r"\[4, 5\].*\(1, 5\)"),
    ("initial_state", (4, 10), r"\[4, 5\].*\(4, 10\)"),
    ("mask", (4, 5), r"\[4, 6\].*\(4, 5\)"),
    ("mask", (4, 6, 1), r"\[4, 6\].*\(4, 6, 1\)"),
    ("mask", (6, 4), r"\[4, 6\].*\(6, 4\)"),
)
DTYPES = ("inputs", "kernel", "recurrent_kernel", "bias", "initial_state")


def tensors(**changes):
    """Tensors that fit each other, but for the shapes or tensors given."""
    arrays = {
        name: keras.ops.zeros(changes.get(name, shape)) if name != "mask" else None
        for name, shape in SHAPES.items()
        if not hasattr(changes.get(name), "dtype")
    }
    arrays["mask"] = keras.ops.ones(changes.get("mask", SHAPES["mask"]), "bool")
    return {**arrays, **{n: v for n, v in changes.items() if hasattr(v, "dtype")}}


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name, shape, message", WRONG_SHAPES)
def test_shapes(name, shape, message, implementation):
    with pytest.raises(ValueError, match=f"Argument `{name}` must have the shape .*{message}"):
        ka.ops.add_gru(**tensors(**{name: shape}), implementation=implementation)


@pytest.mark.parametrize("name, shape, message", WRONG_SHAPES)
def test_symbolic_shapes(name, shape, message):
    symbolic = {n: keras.KerasTensor(t.shape, t.dtype) for n, t in tensors(**{name: shape}).items()}
    with pytest.raises(ValueError, match=f"Argument `{name}` must have the shape .*{message}"):
        ka.ops.add_gru(**symbolic)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", DTYPES)
def test_one_dtype_for_all(name, implementation):
    other = keras.ops.zeros(SHAPES[name], "float16")
    odd, expected = ("kernel", "float16") if name == "inputs" else (name, "float32")
    with pytest.raises(TypeError, match=f"`{odd}` must have the dtype of `inputs`, {expected}"):
        ka.ops.add_gru(**tensors(**{name: other}), implementation=implementation)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_float64_inputs_with_float32_weights(implementation):
    if keras.backend.backend() == "jax":
        pytest.skip("JAX makes float32 of float64 on its own.")
    inputs = np.zeros(SHAPES["inputs"], "float64")
    with pytest.raises(TypeError, match="`kernel`.*float64.*float32.*keras.ops.cast"):
        ka.ops.add_gru(**tensors(inputs=inputs), implementation=implementation)


def test_integers_are_no_inputs():
    with pytest.raises(TypeError, match="`inputs` must have a floating-point dtype.*int32"):
        ka.ops.add_gru(**tensors(inputs=keras.ops.zeros(SHAPES["inputs"], "int32")))


@pytest.mark.parametrize(
    "name, shape, message",
    (
        ("inputs", (4, 6, 3), r"\[batch, features\].*\(4, 6, 3\)"),
        ("state", (3, 5), r"\[4, 5\].*\(3, 5\)"),
        ("state", (5,), r"\[4, 5\].*\(5,\)"),
        ("kernel", (2, 10), r"\[3, 10\].*\(2, 10\)"),
    ),
)
def test_shapes_of_a_step(name, shape, message):
    shapes = {"inputs": (4, 3), "state": (4, 5), "kernel": (3, 10), "recurrent_kernel": (5, 10)}
    step = {n: keras.ops.zeros(s) for n, s in {**shapes, name: shape}.items()}
    with pytest.raises(ValueError, match=f"Argument `{name}` must have the shape .*{message}"):
        ka.ops.add_gru_step(**step)


@pytest.mark.parametrize(
    "settings, error, message",
    (
        ({"state_shift": math.nan}, ValueError, "`state_shift` must be a finite"),
        ({"state_shift": -1}, ValueError, "`state_shift` must be at least 0.*-1"),
        ({"state_max": math.nan}, ValueError, "`state_max` must be a finite"),
        ({"state_max": -math.inf}, ValueError, "`state_max` must be a finite"),
        ({"state_max": -1, "state_shift": 1}, ValueError, "above `-state_shift`"),
        ({"activation": "softmux"}, ValueError, "'softmux'.*Did you mean 'softmax'"),
        ({"implementation": True}, ValueError, "`implementation` must be one of.*True"),
    ),
)
@pytest.mark.parametrize("symbolic", (False, True))
def test_settings(symbolic, settings, error, message):
    given = tensors()
    if symbolic:
        given["inputs"] = keras.Input((None, 3))
    with pytest.raises(error, match=message):
        ka.ops.add_gru(**given, **settings)


def test_fused_says_why_it_cannot_run():
    with pytest.raises(ValueError, match='implementation="fused" cannot be used: '):
        ka.ops.add_gru(**tensors(), activation="gelu", implementation="fused")


@pytest.mark.parametrize(
    "value, canonical",
    (
        (None, "linear"),
        ("linear", "linear"),
        ("relu", "relu"),
        (keras.activations.relu, "relu"),
        (keras.activations.hard_tanh, "hard_tanh"),
        (keras.activations.serialize(keras.activations.tanh), "tanh"),
        ("gelu", keras.activations.gelu),
    ),
)
def test_canonical_activation(value, canonical):
    assert _arguments.activation(value) == canonical


def test_shift_and_bound_are_rounded_to_float32_once():
    gate = _arguments.gate("relu", 0.1, 0.7)
    assert gate.state_shift == float(np.float32(0.1))
    assert gate.state_max == float(np.float32(0.7))
    assert _arguments.gate("relu", 0, None).upper_bound == math.inf


@pytest.mark.parametrize("value", ["perhaps", 1, None])
def test_go_backwards(value):
    with pytest.raises(TypeError, match="`go_backwards` must be True or False.*"):
        ka.ops.add_gru(**tensors(), go_backwards=value)
