"""Arguments of `ops.min_add_gru` that are refused, by name, value and expectation."""

import keras
import pytest

import keras_addrnn as ka

pytestmark = pytest.mark.backend_neutral

SHAPES = {
    "inputs": (4, 6, 3),
    "kernel": (2, 3, 10),
    "bias": (10,),
    "initial_state": (4, 5),
    "mask": (4, 6),
    "initial_inputs": (4, 1, 3),
}
WRONG_SHAPES = (
    ("inputs", (4, 3), r"\[batch, time, features\].*\(4, 3\)"),
    ("kernel", (3, 10), r"\[kernel_size, features, 2 \* units\].*\(3, 10\)"),
    ("kernel", (2, 4, 10), r"\[2, 3, 10\].*\(2, 4, 10\)"),
    ("kernel", (2, 3, 9), r"at least one tap and one unit.*\(2, 3, 9\)"),
    ("bias", (5,), r"\[10\].*\(5,\)"),
    ("initial_state", (4, 10), r"\[4, 5\].*\(4, 10\)"),
    ("mask", (4, 5), r"\[4, 6\].*\(4, 5\)"),
    ("initial_inputs", (4, 2, 3), r"\[4, 1, 3\].*\(4, 2, 3\)"),
)


def tensors(**shapes):
    return {
        name: keras.ops.zeros(shape, "bool" if name == "mask" else "float32")
        for name, shape in {**SHAPES, **shapes}.items()
    }


def test_all_fit():
    outputs, state = ka.ops.min_add_gru(**tensors())
    assert tuple(outputs.shape) == (4, 6, 5) and tuple(state.shape) == (4, 5)


@pytest.mark.parametrize("symbolic", (False, True))
@pytest.mark.parametrize("name, shape, message", WRONG_SHAPES)
def test_shapes(name, shape, message, symbolic):
    given = tensors(**{name: shape})
    if symbolic:
        given = {n: keras.KerasTensor(t.shape, t.dtype) for n, t in given.items()}
    with pytest.raises(ValueError, match=f"Argument `{name}` must have the shape .*{message}"):
        ka.ops.min_add_gru(**given)


@pytest.mark.parametrize("name", ("kernel", "bias", "initial_state", "initial_inputs"))
def test_one_dtype_for_all(name):
    given = tensors()
    given[name] = keras.ops.cast(given[name], "float16")
    with pytest.raises(TypeError, match=f"`{name}` must have the dtype of `inputs`, float32"):
        ka.ops.min_add_gru(**given)


def test_integers_are_no_inputs():
    given = tensors()
    given["inputs"] = keras.ops.cast(given["inputs"], "int32")
    with pytest.raises(TypeError, match="`inputs` must have a floating-point dtype.*int32"):
        ka.ops.min_add_gru(**given)


@pytest.mark.parametrize("name", ("inputs", "kernel"))
def test_what_is_required(name):
    with pytest.raises(TypeError, match=f"`{name}` must be a tensor.*None"):
        ka.ops.min_add_gru(**{**tensors(), name: None})


@pytest.mark.parametrize(
    "settings, error, message",
    (
        ({"activation": "softmux"}, ValueError, "'softmux'.*Did you mean 'softmax'"),
        ({"implementation": "gpu"}, ValueError, "`implementation` must be one of.*'gpu'"),
        ({"go_backwards": 1}, TypeError, "`go_backwards` must be True or False"),
    ),
)
@pytest.mark.parametrize("symbolic", (False, True))
def test_settings(symbolic, settings, error, message):
    given = tensors()
    if symbolic:
        given["inputs"] = keras.Input((None, 3))
    with pytest.raises(error, match=message):
        ka.ops.min_add_gru(**given, **settings)


def test_fused_says_why_it_cannot_run():
    with pytest.raises(ValueError, match='implementation="fused" cannot be used: '):
        ka.ops.min_add_gru(**tensors(), activation="gelu", implementation="fused")
