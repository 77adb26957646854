"""TensorFlow's integer operations give the golden vectors, bit for bit."""

import keras
import numpy as np
import pytest

from keras_addrnn.integer import IntegerDense
from tests import integer_support as support
from tests.golden import integer as vectors

if keras.backend.backend() != "tensorflow":
    pytest.skip("runs in TensorFlow", allow_module_level=True)

from keras_addrnn.integer import tensorflow as executor  # noqa: E402


@pytest.mark.parametrize("case", vectors.layer_cases(), ids=lambda case: case.label)
def test_layer_gives_the_vectors(case):
    outputs, state = executor.run_layer(case.layer, case.inputs, case.initial_state, case.mask)
    assert outputs.dtype == state.dtype == np.int16
    np.testing.assert_array_equal(outputs, case.outputs)
    np.testing.assert_array_equal(state, case.state)


@pytest.mark.parametrize("case", vectors.model_cases(), ids=lambda case: case.label)
def test_model_gives_the_vectors(case):
    values = case.inputs
    for layer in case.model.layers:
        if isinstance(layer, IntegerDense):
            values = executor.run_dense(layer, values)
        else:
            outputs, state = executor.run_layer(layer, values, mask=case.mask)
            values = outputs if layer.return_sequences else state
    assert values.dtype == case.outputs.dtype
    np.testing.assert_array_equal(values, case.outputs)


def test_no_steps():
    rng = np.random.default_rng(0)
    layer = support.draw_layer(rng, 3, 4)
    state = support.draw_state(rng, 2, layer)
    outputs, last = executor.run_layer(layer, np.zeros((2, 0, 3), np.int8), state)
    assert outputs.shape == (2, 0, 4)
    np.testing.assert_array_equal(last, state)
