"""The checks of `WindowTensors`: which shapes and dtypes fit each other."""

import pytest

from addrnn.window_sequence import WindowTensors, check_dtypes, check_shapes

SHAPES = WindowTensors((4, 6, 3), (2, 3, 10), (10,), (4, 5), (4, 6), (4, 1, 3))
DTYPES = WindowTensors(*["float32"] * 6)._replace(mask="bool")
WRONG_SHAPES = (
    ("inputs", (4, 3), r"\[batch, time, features\].*\(4, 3\)"),
    ("inputs", (4, 6, 3, 1), r"\[batch, time, features\]"),
    ("kernel", (3, 10), r"\[kernel_size, features, 2 \* units\].*\(3, 10\)"),
    ("kernel", (2, 3, 2, 10), r"\[kernel_size, features, 2 \* units\]"),
    ("kernel", (0, 3, 10), r"at least one tap and one unit.*\(0, 3, 10\)"),
    ("kernel", (2, 3, 0), r"at least one tap and one unit"),
    ("kernel", (2, 3, 9), r"at least one tap and one unit.*\(2, 3, 9\)"),
    ("kernel", (2, 3, None), r"at least one tap and one unit"),
    ("kernel", (2, 4, 10), r"\[2, 3, 10\].*\(2, 4, 10\)"),
    ("bias", (5,), r"\[10\].*\(5,\)"),
    ("bias", (1, 10), r"\[10\]"),
    ("initial_state", (3, 5), r"\[4, 5\].*\(3, 5\)"),
    ("initial_state", (4, 10), r"\[4, 5\]"),
    ("mask", (4, 5), r"\[4, 6\].*\(4, 5\)"),
    ("mask", (4, 6, 1), r"\[4, 6\]"),
    ("initial_inputs", (4, 2, 3), r"\[4, 1, 3\].*\(4, 2, 3\)"),
    ("initial_inputs", (3, 1, 3), r"\[4, 1, 3\]"),
    ("initial_inputs", (4, 3), r"\[4, 1, 3\]"),
)


def test_what_fits():
    check_shapes(SHAPES)
    check_shapes(WindowTensors((4, 6, 3), (2, 3, 10)))
    check_shapes(SHAPES._replace(kernel=(1, 3, 10), initial_inputs=(4, 0, 3)))
    check_shapes(
        SHAPES._replace(inputs=(0, 0, 3), initial_state=None, mask=None, initial_inputs=None)
    )


def test_unknown_sizes_fit():
    check_shapes(SHAPES._replace(inputs=(None, None, None)))
    check_shapes(SHAPES._replace(initial_state=(None, 5), mask=(None, None)))


@pytest.mark.parametrize("name, shape, message", WRONG_SHAPES)
def test_shapes(name, shape, message):
    with pytest.raises(ValueError, match=f"Argument `{name}` must have the shape .*{message}") as e:
        check_shapes(SHAPES._replace(**{name: shape}))
    assert e.value.argument == name


def test_inputs_before_a_window_of_one():
    with pytest.raises(ValueError, match=r"`initial_inputs` must have the shape \[4, 0, 3\]"):
        check_shapes(SHAPES._replace(kernel=(1, 3, 10)))


@pytest.mark.parametrize("name", ("kernel", "bias", "initial_state", "initial_inputs"))
def test_one_dtype_for_all(name):
    check_dtypes(DTYPES, is_float=True, cast="cast")
    check_dtypes(DTYPES._replace(**{name: None}), is_float=True, cast="cast")
    with pytest.raises(TypeError, match=f"`{name}` must have the dtype of `inputs`, float32") as e:
        check_dtypes(DTYPES._replace(**{name: "float16"}), is_float=True, cast="cast")
    assert e.value.argument == name


def test_integers_are_no_inputs():
    with pytest.raises(TypeError, match="`inputs` must have a floating-point dtype.*Cast it with"):
        check_dtypes(DTYPES._replace(inputs="int32"), is_float=False, cast="cast")


@pytest.mark.parametrize("name", ("inputs", "kernel"))
def test_what_is_required(name):
    with pytest.raises(TypeError, match=f"`{name}` must be a tensor.*None"):
        SHAPES._replace(**{name: None}).require_weights()


def test_map_leaves_out_what_is_absent():
    ranks = SHAPES._replace(bias=None).map(len)
    assert ranks == WindowTensors(3, 3, None, 2, 2, 3)
