"""What is particular to the fused op of MinAddGRU on TensorFlow: threads, shapes, refusals."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.agreement import TOLERANCE, assert_close
from tests.backends import results_and_gradients, to_numpy
from tests.min_problems import make_problem
from tests.support import ACTIVATIONS

pytestmark = pytest.mark.fused


def fused(problem, dtype, training=True):
    """Results and gradients of the op, as the layers call it."""
    from addrnn.gate import Gate
    from addrnn.window_sequence import WindowTensors
    from keras_addrnn.ops import _dispatch

    def layer(tensors):
        outputs, state = _dispatch.window_sequence(
            WindowTensors(**tensors, mask=problem.mask),
            gate=Gate(problem.activation),
            go_backwards=problem.go_backwards,
            implementation="fused",
            training=training,
        )
        return {"outputs": outputs, "state": state}

    upstream = {"outputs": problem.d_outputs, "state": problem.d_state}
    return results_and_gradients(layer, problem.arrays, upstream, dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_computing_anew_gives_the_same_bits_as_keeping(activation, dtype):
    problem = make_problem(1, (7, 9, 5, 17, 2), mask="holes", activation=activation)
    kept, anew = (fused(problem, dtype, training)[1] for training in (True, False))
    for name, value in kept.items():
        assert np.count_nonzero(value) > 0
        np.testing.assert_array_equal(anew[name], value, err_msg=name)


@pytest.mark.parametrize("sizes", [(33, 20, 64, 130, 3), (1, 2000, 20, 70, 2), (3, 700, 9, 65, 5)])
def test_same_bits_for_any_number_of_threads(sizes):
    from addrnn.tensorflow import num_threads, set_num_threads

    problem, before = make_problem(0, sizes, mask="holes", activation="tanh"), num_threads()
    try:
        set_num_threads(1)
        alone = fused(problem, "float32")
        for threads in (2, 3, 16):
            set_num_threads(threads)
            for got, expected in zip(fused(problem, "float32"), alone, strict=True):
                for name, value in expected.items():
                    np.testing.assert_array_equal(got[name], value, err_msg=name)
    finally:
        set_num_threads(before)


def test_hostile_calls_are_refused():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.keras_addrnn.ops.hostile_min_calls"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    last = "\n".join(done.stdout.splitlines()[-3:])
    assert done.returncode == 0, f"exit status {done.returncode} after\n{last}\n{done.stderr}"
    refused = int(last.splitlines()[-1].split()[0])
    assert refused > 200


def infer(**changes):
    """Static shapes of outputs and final state for those of the inputs; None: unknown rank."""
    import tensorflow as tf

    from addrnn.tensorflow import _library

    shapes = {
        "inputs": [3, 4, 5],
        "kernel": [2, 5, 12],
        "bias": [12],
        "initial_state": [3, 6],
        "mask": [3, 4],
        "initial_inputs": [3, 1, 5],
    } | changes
    inferred = []

    def trace(*tensors):
        outputs, state, _, _ = _library.load().ops.min_add_gru(*tensors)
        inferred.extend([outputs.shape, state.shape])
        return outputs

    dtypes = [tf.bool if name == "mask" else tf.float32 for name in shapes]
    specs = [tf.TensorSpec(s, d) for s, d in zip(shapes.values(), dtypes, strict=True)]
    tf.function(trace).get_concrete_function(*specs)
    return [shape.as_list() if shape.rank is not None else None for shape in inferred]


def test_shapes_are_inferred():
    absent = {"bias": [0], "initial_state": [0, 0], "mask": [0, 0], "initial_inputs": [0, 0, 0]}
    assert infer() == infer(**absent) == [[3, 4, 6], [3, 6]]
    assert infer(inputs=[None, None, 5], **absent) == [[None, None, 6], [None, 6]]
    assert infer(inputs=[None, None, None], kernel=[None, None, 12]) == [[None, None, 6], [None, 6]]
    for name in absent:
        assert infer(**{name: None}) == [[3, 4, 6], [3, 6]]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"inputs": [3, 5]}, "inputs must be of shape .* received rank 2"),
        ({"kernel": [5, 12]}, "kernel must be of shape .* received rank 2"),
        ({"kernel": [2, 4, 12]}, "kernel.* must be 5, received 4"),
        ({"kernel": [2, 5, 11]}, "kernel"),
        ({"kernel": [3, 5, 12]}, "initial_inputs.* must be 2, received 1"),
        ({"bias": [6]}, "bias.* must be 12, received 6"),
        ({"initial_state": [3, 12]}, "initial_state.* must be 6, received 12"),
        ({"mask": [3, 5]}, "mask.* must be 4, received 5"),
        ({"initial_inputs": [3, 1, 6]}, "initial_inputs.* must be 5, received 6"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        infer(**changes)


def test_gradient_shapes_are_known():
    import tensorflow as tf

    import keras_addrnn as ka

    shapes = []

    @tf.function(input_signature=[tf.TensorSpec([None, None, 3])])
    def run(inputs):
        kernel = tf.ones((2, 3, 8))
        with tf.GradientTape() as tape:
            tape.watch([inputs, kernel])
            outputs, _ = ka.ops.min_add_gru(inputs, kernel, implementation="fused")
        gradients = tape.gradient(outputs, [inputs, kernel])
        shapes.extend(gradient.shape.as_list() for gradient in gradients)
        return gradients

    run(tf.ones((2, 4, 3)))
    assert shapes == [[None, None, 3], [2, 3, 8]]


def test_second_order_gradient_names_the_remedy():
    import tensorflow as tf

    import keras_addrnn as ka

    x, kernel = tf.ones((2, 3, 4)), tf.ones((2, 4, 6))
    with tf.GradientTape() as outer:
        outer.watch(kernel)
        with tf.GradientTape() as inner:
            inner.watch(kernel)
            loss = tf.reduce_sum(ka.ops.min_add_gru(x, kernel, implementation="fused")[0] ** 2)
        norm = tf.reduce_sum(inner.gradient(loss, kernel) ** 2)
    with pytest.raises(Exception, match='implementation="composed"'):
        outer.gradient(norm, kernel)


def test_xla_takes_the_composed_one():
    import tensorflow as tf

    import keras_addrnn as ka

    problem = make_problem(0, (3, 7, 4, 9, 2)).as_dtype("float32")
    tensors = {name: tf.constant(array, "float32") for name, array in problem.arrays.items()}
    compiled = tf.function(lambda: ka.ops.min_add_gru(**tensors), jit_compile=True)
    outputs, state = compiled()
    got = {"outputs": to_numpy(outputs), "state": to_numpy(state)}
    assert_close(got, problem.expected(), TOLERANCE["float32"])
