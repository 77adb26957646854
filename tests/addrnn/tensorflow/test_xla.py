"""The op in graphs that XLA compiles: the same numbers, for sizes that it learns late too."""

import subprocess
import sys

import numpy as np
import pytest

from tests import min_problems
from tests.support import ACTIVATIONS, make_problem, round_to

pytestmark = pytest.mark.fused

SIZES = [(3, 5, 4, 6), (1, 1, 1, 1), (7, 2, 3, 17), (0, 3, 2, 4), (2, 0, 3, 5)]
SETTINGS = (
    {},
    {"mask": "holes", "bias": False, "initial_state": False},
    {"mask": "left", "go_backwards": True, "state_shift": 0.25, "state_max": 1.5},
)
MIN_SETTINGS = (
    {},
    {"mask": "holes", "bias": False, "initial": False},
    {"mask": "left", "go_backwards": True},
)

# A mangled name that TensorFlow's library does not have, as in a version to come.
WITHOUT_THE_FUNCTION = """
import keras, numpy as np, tensorflow as tf
from addrnn.tensorflow import _xla
_xla._GET_API = "_ZN3xla3ffi9AnyOtherEv"
import keras_addrnn as ka
model = keras.Sequential([keras.Input((4, 3)), ka.AddGRU(5)])
model.compile("sgd", "mse", jit_compile=True)
model.fit(np.ones((2, 4, 3)), np.ones((2, 5)), verbose=0)
(found,) = ka.info(model)
assert found["inference"] == "composed" and "jit_compile=False" in found["why"], found
layer = ka.AddGRU(5, implementation="fused")
try:
    tf.function(lambda x: layer(x), jit_compile=True)(tf.ones((2, 4, 3)))
except ValueError as error:
    assert "XLA cannot call it in TensorFlow" in str(error), error
else:
    raise AssertionError("fused without XLA's functions")
"""


def compiled(recurrence, problem, dtype, training, is_open):
    """Results and gradients through a tape, in a graph that XLA compiles, by name."""
    import tensorflow as tf

    tensors = {name: tf.constant(array, dtype) for name, array in problem.arrays.items()}
    settings = {name: getattr(problem, name) for name in ("mask", *problem.settings)}

    def differentiated(tensors, d_outputs, d_state):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            results = recurrence(**tensors, **settings, training=training)
        found = tape.gradient(results, tensors, output_gradients=[d_outputs, d_state])
        return {**dict(zip(("outputs", "state"), results, strict=True)), "gradients": found}

    def spec(tensor, *open_axes):
        shape = [None if axis in open_axes else size for axis, size in enumerate(tensor.shape)]
        return tf.TensorSpec(shape, dtype)

    upstream = [tf.constant(problem.d_outputs, dtype), tf.constant(problem.d_state, dtype)]
    signature = None
    if is_open:
        rows = {"inputs": (0, 1), "initial_state": (0,), "initial_inputs": (0,)}
        specs = {name: spec(each, *rows.get(name, ())) for name, each in tensors.items()}
        signature = [specs, spec(upstream[0], 0, 1), spec(upstream[1], 0)]
    function = tf.function(differentiated, jit_compile=True, input_signature=signature)
    found = function(tensors, *upstream)
    found |= {f"d_{name}": gradient for name, gradient in found.pop("gradients").items()}
    return {name: tensor.numpy() for name, tensor in found.items()}


def check(found, problem):
    expected = {f"d_{name}": value for name, value in problem.expected_gradients().items()}
    expected |= problem.expected()
    assert found.keys() <= expected.keys() and {"outputs", "state", "d_kernel"} <= found.keys()
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-10, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_add_gru(activation, settings, sizes):
    from addrnn.tensorflow import add_gru

    problem = make_problem(0, sizes, **settings, activation=activation).away_from_kinks(1e-9)
    is_open = problem.mask is None  # the mask is a constant, of known sizes
    check(compiled(add_gru, problem, "float64", True, is_open), problem)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_without_kept_bits(activation):
    from addrnn.tensorflow import add_gru

    problem = make_problem(1, SIZES[0], activation=activation).away_from_kinks(1e-9)
    check(compiled(add_gru, problem, "float64", False, True), problem)


@pytest.mark.parametrize("sizes", [(*sizes, 1 + i % 3) for i, sizes in enumerate(SIZES)])
@pytest.mark.parametrize("settings", MIN_SETTINGS)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_min_add_gru(activation, settings, sizes):
    from addrnn.tensorflow import min_add_gru

    problem = min_problems.make_problem(0, sizes, **settings, activation=activation)
    problem = problem.away_from_kinks(1e-9)
    is_open = problem.mask is None
    check(compiled(min_add_gru, problem, "float64", True, is_open), problem)


@pytest.mark.parametrize(
    "dtype, tolerance", [("float32", 1e-5), ("float16", 2e-2), ("bfloat16", 0.1)]
)
def test_other_dtypes(dtype, tolerance):
    from addrnn.tensorflow import add_gru

    problem = make_problem(1, SIZES[0], mask="right").as_dtype(dtype)
    found = compiled(add_gru, problem, dtype, True, False)["outputs"]
    assert found.dtype == dtype
    np.testing.assert_allclose(
        round_to(found, "float64"), problem.expected()["outputs"], atol=tolerance
    )


def test_a_model_that_xla_compiles_learns_what_others_learn():
    import keras

    import keras_addrnn as ka

    def trained(jit_compile):
        keras.utils.set_random_seed(0)
        layers = [
            ka.AddGRU(5, return_sequences=True, implementation="fused"),
            ka.MinAddGRU(4, return_sequences=True, implementation="fused"),
            keras.layers.RNN(ka.AddGRUCell(3, implementation="fused")),
        ]
        model = keras.Sequential([keras.Input((None, 3)), *layers])
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=jit_compile)
        assert model.jit_compile == jit_compile
        x = np.random.default_rng(0).normal(size=(30, 7, 3))
        model.fit(x, np.ones((30, 3)), batch_size=8, epochs=3, shuffle=False, verbose=0)
        return model.get_weights()

    for one, other in zip(trained(True), trained(False), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_second_order_is_an_error():
    import tensorflow as tf

    from addrnn.tensorflow import add_gru

    def twice(x, kernel, recurrent_kernel):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = tf.reduce_sum(add_gru(x, kernel, recurrent_kernel)[0] ** 2)
            gradient = inner.gradient(loss, x)
        return outer.gradient(gradient, x)

    arguments = tf.ones((2, 4, 3)), tf.ones((3, 10)), tf.zeros((5, 10))
    with pytest.raises(Exception, match="no entry for: XlaCallModule"):
        tf.function(twice, jit_compile=True)(*arguments)


# A process that serves a module which XLA compiles.
SERVE = """
import sys
import addrnn.tensorflow
addrnn.tensorflow.load_library()
import tensorflow as tf
print(float(tf.saved_model.load(sys.argv[1]).run(tf.ones((2, 4, 3)))))
"""


def test_saved_and_served_by_another_process(tmp_path):
    import tensorflow as tf

    from addrnn.tensorflow import add_gru

    kernel, recurrent_kernel = tf.reshape(tf.linspace(-1.0, 1.0, 30), (3, 10)), tf.zeros((5, 10))
    module = tf.Module()
    module.run = tf.function(
        lambda x: tf.reduce_sum(add_gru(x, kernel, recurrent_kernel)[1]),
        jit_compile=True,
        input_signature=[tf.TensorSpec((None, 4, 3))],
    )
    expected = float(module.run(tf.ones((2, 4, 3))))
    tf.saved_model.save(module, tmp_path)
    served = subprocess.run(
        [sys.executable, "-c", SERVE, tmp_path], capture_output=True, text=True, check=True
    )
    assert float(served.stdout) == pytest.approx(expected, rel=1e-6) != 0


def test_a_number_of_weights_that_is_not_known_yet():
    import tensorflow as tf

    from addrnn.tensorflow import add_gru, min_add_gru

    def gradients(x, kernel, recurrent_kernel):
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            one, _ = add_gru(x, kernel, recurrent_kernel)
            other, _ = min_add_gru(x, kernel[None])
            loss = tf.reduce_sum(one) + tf.reduce_sum(other**2)
        return tape.gradient(loss, kernel)

    rng = np.random.default_rng(0)
    sizes = [(2, 4, 3), (3, 10), (5, 10)]
    arguments = [tf.constant(0.3 * rng.normal(size=each), "float32") for each in sizes]
    signature = [tf.TensorSpec((2, 4, 3)), tf.TensorSpec((None, 10)), tf.TensorSpec((5, 10))]
    found = tf.function(gradients, jit_compile=True, input_signature=signature)(*arguments)
    np.testing.assert_allclose(found, gradients(*arguments), rtol=1e-5)


def test_the_number_of_threads_is_that_of_the_op():
    import addrnn.tensorflow
    from addrnn import _core

    before = addrnn.tensorflow.num_threads()
    try:
        addrnn.tensorflow.set_num_threads(3)
        assert addrnn.tensorflow.num_threads() == _core.num_threads() == 3
    finally:
        addrnn.tensorflow.set_num_threads(before)


def test_tensorflow_without_the_function():
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_FUNCTION], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_registering_at_no_address():
    from addrnn import _core

    with pytest.raises(ValueError, match="no address"):
        _core.register_xla_handlers(0)
