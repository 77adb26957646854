"""The exact adder: an addition-gated unit sums marked values over 10,000 steps without any error.

Inputs `(value, marker)`, values at most 1. With `u = 1 - marker` and `c = value`, a marked step
adds its value to the state and every other step keeps the state (arXiv 2308.05629, section 3.1).
"""

import numpy as np
import pytest

from tests.backends import allowed, results_of
from tests.support import IMPLEMENTATIONS

STEPS = 10_000
KERNEL = np.array([[0.0, 1.0], [-1.0, 0.0]])
RECURRENT_KERNEL = np.zeros((1, 2))
BIAS = np.array([1.0, 0.0])
DTYPES = ["float32", "float64"]


def adding_problem(batch=3):
    """Inputs `[B, T, 2]` and their running sums `[B, T, 1]`, multiples of 1/64."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 65, size=(batch, STEPS)) / 64
    markers = rng.random((batch, STEPS)) < 0.5
    sums = np.cumsum(values * markers, axis=1)
    assert sums.max() > 1000
    return np.stack([values, markers], axis=2), sums[:, :, None]


@pytest.mark.backend_neutral
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_op(implementation, dtype):
    import keras

    import keras_addrnn as ka

    def add(tensors):
        outputs, state = ka.ops.add_gru(**tensors, implementation=implementation)
        return {"outputs": outputs, "state": state}

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        add = tf.function(add)
    inputs, sums = adding_problem()
    arrays = {
        "inputs": inputs,
        "kernel": KERNEL,
        "recurrent_kernel": RECURRENT_KERNEL,
        "bias": BIAS,
    }
    got = results_of(add, arrays, dtype)
    np.testing.assert_array_equal(got["outputs"], sums)
    np.testing.assert_array_equal(got["state"], sums[:, -1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_one_step_op_in_a_loop(implementation, dtype):
    import tensorflow as tf

    import keras_addrnn as ka

    inputs, sums = adding_problem()
    weights = [tf.constant(w, dtype) for w in (KERNEL, RECURRENT_KERNEL, BIAS)]

    @tf.function
    def add(inputs):
        state = tf.zeros((inputs.shape[0], 1), dtype)
        for t in tf.range(STEPS):
            state = ka.ops.add_gru_step(
                inputs[:, t], state, *weights, implementation=implementation
            )
        return state

    np.testing.assert_array_equal(add(tf.constant(inputs, dtype)), sums[:, -1])


@pytest.mark.backend_neutral
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_layer(implementation, dtype):
    import keras_addrnn as ka

    inputs, sums = adding_problem()
    layer = ka.AddGRU(
        1,
        return_sequences=True,
        state_max=None,
        scale_inputs=False,
        implementation=implementation,
        dtype=dtype,
    )
    check_layer(layer, inputs, sums)


@pytest.mark.backend_neutral
@pytest.mark.parametrize("dtype", DTYPES)
def test_cell_in_keras_rnn(dtype):
    import keras

    import keras_addrnn as ka

    inputs, sums = adding_problem()
    cell = ka.AddGRUCell(1, state_max=None, dtype=dtype)
    check_layer(keras.layers.RNN(cell, return_sequences=True, dtype=dtype), inputs, sums)


def check_layer(layer, inputs, sums):
    import keras

    with allowed(layer.dtype):
        model = keras.Sequential([keras.Input((None, 2), dtype=layer.dtype), layer])
        model.set_weights([KERNEL, RECURRENT_KERNEL, BIAS])
        outputs = model.predict(inputs.astype(layer.dtype), verbose=0)
    np.testing.assert_array_equal(outputs, sums)
