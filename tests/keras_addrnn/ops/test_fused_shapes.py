"""Shape inference of the fused op: what a graph knows before it runs, and what it refuses."""

import numpy as np
import pytest

from tests.support import make_problem

pytestmark = pytest.mark.fused

B, T, D, H = 3, 4, 5, 6


def known(**changes):
    """Static shapes of the op's six inputs; None for an unknown rank."""
    shapes = {
        "inputs": [B, T, D],
        "kernel": [D, 2 * H],
        "recurrent_kernel": [H, 2 * H],
        "bias": [2 * H],
        "initial_state": [B, H],
        "mask": [B, T],
    }
    return shapes | changes


def infer(shapes, with_reserve=False):
    """Static shapes of outputs and final state for those of the inputs."""
    import tensorflow as tf

    from addrnn.tensorflow import _library

    ops = _library.load().ops
    inferred = []

    def trace(*tensors):
        outputs, final_state, _, _ = ops.add_gru(*tensors, with_reserve=with_reserve)
        inferred.extend([outputs.shape, final_state.shape])
        return outputs

    dtypes = [tf.bool if name == "mask" else tf.float32 for name in shapes]
    specs = [tf.TensorSpec(s, d) for s, d in zip(shapes.values(), dtypes, strict=True)]
    tf.function(trace).get_concrete_function(*specs)
    return [shape.as_list() if shape.rank is not None else None for shape in inferred]


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, [[B, T, H], [B, H]]),
        ({"bias": [0], "initial_state": [0, 0], "mask": [0, 0]}, [[B, T, H], [B, H]]),
        ({"inputs": [None, T, D]}, [[None, T, H], [None, H]]),
        ({"inputs": [B, None, D]}, [[B, None, H], [B, H]]),
        ({"inputs": [None, None, None]}, [[None, None, H], [None, H]]),
        ({"inputs": [0, T, D], "initial_state": [0, H], "mask": [0, T]}, [[0, T, H], [0, H]]),
        ({"inputs": [B, 0, D], "mask": [B, 0]}, [[B, 0, H], [B, H]]),
        ({"inputs": [B, D], "mask": [0, 0]}, [[B, H], [B, H]]),
        ({"recurrent_kernel": [None, None], "kernel": [D, None]}, [[B, T, None], [B, None]]),
    ],
)
def test_known_and_unknown_dimensions(changes, expected):
    assert infer(known(**changes)) == expected
    assert infer(known(**changes), with_reserve=True) == expected


@pytest.mark.parametrize("name", known())
def test_an_input_of_unknown_rank_is_accepted(name):
    outputs, state = infer(known(**{name: None}))
    assert outputs in (None, [B, T, H])
    assert state in (None, [B, H])


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"inputs": [B, T, D, 1]}, "inputs must be of shape .* received rank 4"),
        ({"inputs": [D]}, "inputs must be of shape .* received rank 1"),
        ({"inputs": [B, T, D + 1]}, "kernel.* must be 6, received 5"),
        ({"kernel": [D]}, "kernel must be of shape .* received rank 1"),
        ({"kernel": [D, 2 * H + 1]}, "kernel.* must be 12, received 13"),
        ({"recurrent_kernel": [H, H]}, "recurrent_kernel.* must be 12, received 6"),
        ({"recurrent_kernel": [2 * H]}, "recurrent_kernel must be of shape .* received rank 1"),
        ({"bias": [H]}, "bias.* must be 12, received 6"),
        ({"bias": [1, 2 * H]}, "bias must be of shape .* received rank 2"),
        ({"initial_state": [B + 1, H]}, "initial_state.* must be 3, received 4"),
        ({"initial_state": [B, H + 1]}, "initial_state.* must be 6, received 7"),
        ({"mask": [B, T + 1]}, "mask.* must be 4, received 5"),
        ({"mask": [B, T, 1]}, "mask must be of shape .* received rank 3"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        infer(known(**changes))


def test_gradient_shapes_are_known():
    import tensorflow as tf

    import keras_addrnn as ka

    problem = make_problem(0, (B, T, D, H))
    shapes = []

    @tf.function(input_signature=[tf.TensorSpec([None, None, D])])
    def run(inputs):
        rest = [tf.constant(a, "float32") for a in problem.arguments[1:4]]
        with tf.GradientTape() as tape:
            tape.watch([inputs, rest])
            outputs, _ = ka.ops.add_gru(inputs, *rest, implementation="fused")
        gradients = tape.gradient(outputs, [inputs, *rest])
        shapes.extend(gradient.shape for gradient in gradients)
        return gradients

    for sizes in [(B, T, D), (1, 7, D), (B, 0, D), (0, T, D)]:
        gradients = run(np.ones(sizes, "float32"))
        assert gradients[0].shape == sizes
    assert all(shape.rank is not None for shape in shapes), shapes
    assert [s.as_list() for s in shapes] == [[None, None, D], [D, 2 * H], [H, 2 * H], [2 * H]]
