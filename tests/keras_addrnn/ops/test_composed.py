"""What is particular to the composed implementation, on every backend."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from addrnn.sequence import SequenceTensors
from keras_addrnn.ops import _arguments, _composed
from tests import backends, support
from tests.agreement import assert_close

pytestmark = pytest.mark.backend_neutral

SIZES = (4, 5, 3, 6)
SETTINGS = (
    {},
    {"state_shift": 0.5, "state_max": 1.25, "go_backwards": True, "mask": "holes"},
    {"mask": "left", "state_max": 0.75, "bias": False},
    {"mask": "empty_row", "state_shift": 0.25, "initial_state": False},
)


def float32_problem(**settings):
    return support.make_problem(3, SIZES, **settings).as_dtype("float32")


def composed_of(problem, **more):
    """The composed function itself, with arguments that only the layers use."""
    tensors = {
        name: keras.ops.convert_to_tensor(array, "float32")
        for name, array in problem.arrays.items()
    }
    settings = dict(problem.settings)
    go_backwards = settings.pop("go_backwards")
    mask = None if problem.mask is None else keras.ops.convert_to_tensor(problem.mask)
    outputs, state = _composed.add_gru(
        SequenceTensors(**tensors, mask=mask),
        gate=_arguments.gate(*settings.values()),
        go_backwards=go_backwards,
        **more,
    )
    return {"outputs": backends.to_numpy(outputs), "state": backends.to_numpy(state)}


@pytest.mark.parametrize("settings", SETTINGS)
def test_compiled(settings):
    problem = float32_problem(**settings)
    assert_close(support.run(problem, "composed", compiled=True), problem.expected(), 1e-5)


@pytest.mark.parametrize("settings", SETTINGS[1:3])
def test_unrolled(settings):
    problem = float32_problem(**settings | {"initial_state": True})
    assert_close(composed_of(problem, unroll=True), problem.expected(), 1e-5)


def test_recurrent_dropout_mask_meets_the_matrix_product_only():
    # To scale the state on its way into the product is to scale the rows of the matrix.
    problem = float32_problem(initial_state=True)
    scale = np.random.default_rng(0).random(SIZES[3]).round(2)
    mask = keras.ops.convert_to_tensor(np.tile(scale, (SIZES[0], 1)), "float32")
    scaled = problem.but(recurrent_kernel=scale[:, None] * problem.recurrent_kernel)
    got = composed_of(problem, recurrent_dropout_mask=mask)
    assert_close(got, scaled.expected(), 1e-5)


@pytest.mark.parametrize("activation", support.ACTIVATIONS)
@pytest.mark.parametrize("state_max", (None, 1.0))
def test_nan_is_not_hidden(state_max, activation):
    problem = float32_problem(activation=activation, state_max=state_max)
    problem.inputs[1, 2] = np.nan
    outputs = support.run(problem, "composed")["outputs"]
    assert np.all(np.isnan(outputs[1, 2:])) and not np.any(np.isnan(outputs[[0, 2, 3]]))


def test_a_callable_activation():
    problem = float32_problem(activation="tanh")
    named = support.run(problem, "composed")
    same = support.run(problem.but(activation=lambda z: keras.ops.tanh(z)), "composed")
    assert_close(same, named, 1e-6)


def test_symbolic_tensors():
    problem = float32_problem(mask="holes")
    x, h = keras.Input((None, 3)), keras.Input((6,))
    mask = keras.Input((None,), dtype="bool")
    weights = [getattr(problem, n).astype("float32") for n in support.ARRAYS[1:4]]
    outputs, state = ka.ops.add_gru(x, *weights, h, mask, implementation="composed")
    assert outputs.shape == (None, None, 6) and state.shape == (None, 6)
    step = ka.ops.add_gru_step(x[:, 0], h, *weights)
    assert step.shape == (None, 6) and step.dtype == "float32"
    model = keras.Model([x, h, mask], {"outputs": outputs, "state": state})
    data = [problem.inputs.astype("float32"), problem.initial_state.astype("float32"), problem.mask]
    assert_close(model.predict(data, verbose=0), problem.expected(), 1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's variables")
def test_a_variable_of_tensorflow_as_inputs():
    import tensorflow as tf

    inputs = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    variable = tf.Variable(inputs)
    layer = ka.AddGRU(4, implementation="composed")
    with tf.GradientTape() as tape:
        outputs = layer(variable)
        loss = tf.reduce_sum(outputs)
    np.testing.assert_array_equal(backends.to_numpy(outputs), backends.to_numpy(layer(inputs)))
    assert tape.gradient(loss, variable).shape == variable.shape
