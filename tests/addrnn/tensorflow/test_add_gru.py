"""`addrnn.tensorflow.add_gru`: values and gradients, without Keras, and what it refuses."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.support import ACTIVATIONS, make_problem, round_to

pytestmark = pytest.mark.fused

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

# Keras cannot be imported in this process: TensorFlow itself goes without it then.
WITHOUT_KERAS = """
import sys
sys.modules["keras"] = None
import tensorflow as tf
import addrnn.tensorflow
x = tf.Variable(tf.ones((2, 4, 3)))
kernel, recurrent_kernel = tf.ones((3, 10)), tf.zeros((5, 10))
@tf.function
def gradient():
    with tf.GradientTape() as tape:
        outputs, state = addrnn.tensorflow.add_gru(x, kernel, recurrent_kernel, training=True)
        loss = tf.reduce_sum(outputs) + tf.reduce_sum(state)
    return tape.gradient(loss, x)
assert gradient().shape == (2, 4, 3)
assert sys.modules["keras"] is None and "keras_addrnn" not in sys.modules
"""

# A process that serves what another has saved.
SERVE = """
import sys
import addrnn.tensorflow
addrnn.tensorflow.load_library()
import tensorflow as tf
print(float(tf.saved_model.load(sys.argv[1]).run(tf.ones((2, 4, 3)))))
"""


def gradients(problem, dtype, training=True, graph=False):
    """Results and gradients through a tape, by name, as NumPy."""
    import tensorflow as tf

    from addrnn.tensorflow import add_gru

    def differentiated(tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            results = add_gru(**tensors, mask=problem.mask, **problem.settings, training=training)
        upstream = [tf.constant(problem.d_outputs, dtype), tf.constant(problem.d_state, dtype)]
        found = tape.gradient(results, tensors, output_gradients=upstream)
        return {**dict(zip(("outputs", "state"), results, strict=True)), "gradients": found}

    if graph:
        differentiated = tf.function(differentiated)
    found = differentiated({n: tf.constant(a, dtype) for n, a in problem.arrays.items()})
    found |= {f"d_{name}": gradient for name, gradient in found.pop("gradients").items()}
    return {name: tensor.numpy() for name, tensor in found.items()}


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_agrees_with_the_reference(activation, settings, training, graph):
    problem = make_problem(0, SIZES, **settings, activation=activation).away_from_kinks(1e-9)
    found = gradients(problem, "float64", training, graph)
    expected = {f"d_{name}": value for name, value in problem.expected_gradients().items()}
    expected |= problem.expected()
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-10, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("float16", 2e-2)])
def test_other_dtypes(dtype, tolerance):
    problem = make_problem(1, SIZES, mask="right").as_dtype(dtype)
    found = gradients(problem, dtype)
    assert found["outputs"].dtype == dtype
    np.testing.assert_allclose(
        round_to(found["outputs"], "float64"), problem.expected()["outputs"], atol=tolerance
    )


def test_takes_arrays_variables_and_masks_of_numbers():
    import tensorflow as tf

    from addrnn.tensorflow import add_gru

    problem = make_problem(2, SIZES, mask="holes").as_dtype("float32")
    arrays = {name: array.astype("float32") for name, array in problem.arrays.items()}
    arrays["kernel"] = tf.Variable(arrays["kernel"])
    outputs, _ = add_gru(**arrays, mask=problem.mask.astype("int32"))
    np.testing.assert_allclose(outputs, problem.expected()["outputs"], rtol=1e-5, atol=1e-5)


def test_open_sizes_in_a_graph():
    import tensorflow as tf

    from addrnn.tensorflow import add_gru

    kernel, recurrent_kernel = tf.ones((3, 10)), tf.zeros((5, 10))
    function = tf.function(
        lambda x: add_gru(x, kernel, recurrent_kernel),
        input_signature=[tf.TensorSpec((None, None, 3))],
    )
    outputs, state = function.get_concrete_function().structured_outputs
    assert outputs.shape.as_list() == [None, None, 5] and state.shape.as_list() == [None, 5]
    assert function(tf.ones((2, 0, 3)))[0].shape == (2, 0, 5)


def tensors(**changes):
    import tensorflow as tf

    given = {name: tf.zeros(shape) for name, shape in SHAPES.items()}
    given["mask"] = tf.ones(SHAPES["mask"], tf.bool)
    for name, change in changes.items():
        given[name] = tf.zeros(change) if isinstance(change, tuple) else change
    return given


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
        (
            "inputs",
            np.zeros(SHAPES["inputs"], "int32"),
            TypeError,
            "floating-point.*int32.*tf.cast",
        ),
        ("kernel", np.zeros(SHAPES["kernel"], "float64"), TypeError, "float32.*float64.*tf.cast"),
        ("initial_state", np.zeros((4, 5), "float16"), TypeError, "the dtype of `inputs`.*float16"),
        ("activation", "gelu", ValueError, "one of.*'gelu'"),
        ("activation", None, ValueError, "one of.*None"),
        ("state_shift", -1, ValueError, "at least 0"),
        ("state_max", float("nan"), ValueError, "a finite number.*Pass None"),
        ("go_backwards", 1, TypeError, "True or False"),
    ],
)
def test_refuses(argument, change, error, message):
    from addrnn.tensorflow import add_gru

    with pytest.raises(error, match=f"Argument `{argument}` must .*{message}") as refused:
        add_gru(**tensors(**{argument: change}))
    assert refused.value.argument == argument


def test_refuses_an_unknown_rank():
    import tensorflow as tf

    from addrnn.tensorflow import add_gru

    function = tf.function(
        lambda x: add_gru(x, tf.zeros((3, 10)), tf.zeros((5, 10))),
        input_signature=[tf.TensorSpec(None)],
    )
    with pytest.raises(ValueError, match="`inputs` must have a known rank"):
        function.get_concrete_function()


def run(code, *arguments):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


def test_without_keras():
    done = run(WITHOUT_KERAS)
    assert done.returncode == 0, done.stderr[-2000:]


def test_another_process_serves_a_saved_model(tmp_path):
    import tensorflow as tf

    from addrnn.tensorflow import add_gru

    module = tf.Module()
    module.run = tf.function(
        lambda x: tf.reduce_sum(add_gru(x, tf.ones((3, 10)), tf.zeros((5, 10)))[1]),
        input_signature=[tf.TensorSpec((None, None, 3))],
    )
    tf.saved_model.save(module, str(tmp_path))
    done = run(SERVE, str(tmp_path))
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) == float(module.run(tf.ones((2, 4, 3))))


def test_missing_library(monkeypatch):
    import addrnn.tensorflow
    from addrnn.tensorflow import _library

    problem = _library.Library(problem="its library is missing (x.so). Build it.")
    monkeypatch.setattr(_library, "load", lambda: problem)
    for use in (addrnn.tensorflow.load_library, addrnn.tensorflow.num_threads):
        with pytest.raises(RuntimeError, match="cannot be used: its library is missing.*Build it"):
            use()


@pytest.mark.parametrize("n, error", [(-1, ValueError), (2**31, ValueError), (1.5, TypeError)])
def test_number_of_threads_is_checked(n, error):
    import addrnn.tensorflow

    with pytest.raises(error, match="`n` must be an integer"):
        addrnn.tensorflow.set_num_threads(n)
