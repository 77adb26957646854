"""Every executor of the integer model gives the golden vectors, bit for bit."""

import numpy as np
import pytest

from keras_addrnn.integer import core, golden
from tests.golden import integer as vectors
from tests.support import CORE

LAYERS = list(vectors.layer_cases())
MODELS = list(vectors.model_cases())

LAYER_EXECUTORS = {
    "golden": lambda c: golden.run_layer(c.layer, c.inputs, c.initial_state, c.mask),
    "core": lambda c: core.run_layer(c.layer, c.inputs, c.initial_state, c.mask),
}
MODEL_EXECUTORS = {
    "golden": lambda c: c.model.run(c.inputs, c.mask, executor="golden"),
    "core": lambda c: c.model.run(c.inputs, c.mask, executor="core"),
}


@pytest.mark.parametrize("executor", ["golden", CORE])
@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.label)
def test_layer(case, executor):
    outputs, state = LAYER_EXECUTORS[executor](case)
    assert outputs.dtype == state.dtype == np.int16
    np.testing.assert_array_equal(outputs, case.outputs)
    np.testing.assert_array_equal(state, case.state)


@pytest.mark.parametrize("executor", ["golden", CORE])
@pytest.mark.parametrize("case", MODELS, ids=lambda case: case.label)
def test_model(case, executor):
    outputs = MODEL_EXECUTORS[executor](case)
    assert outputs.dtype == case.outputs.dtype
    np.testing.assert_array_equal(outputs, case.outputs)
