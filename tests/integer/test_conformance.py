"""Every executor of the integer model gives the golden vectors, bit for bit."""

import importlib.util

import numpy as np
import pytest

from keras_addrnn import libraries
from keras_addrnn.integer import core, golden
from tests.golden import integer as vectors
from tests.support import CORE

LAYERS = list(vectors.layer_cases())
MODELS = list(vectors.model_cases())


def _in_litert(name, *arguments):
    from tests.lite import integer  # which needs LiteRT

    return getattr(integer, name)(*arguments)


RUN_LAYER = {
    "golden": golden.run_layer,
    "core": core.run_layer,
    "litert": lambda *arguments: _in_litert("run_layer", *arguments),
}
RUN_MODEL = {
    "golden": lambda model, *arguments: model.run(*arguments, executor="golden"),
    "core": lambda model, *arguments: model.run(*arguments, executor="core"),
    "litert": lambda *arguments: _in_litert("run_model", *arguments),
}

_NO_LITERT = importlib.util.find_spec("ai_edge_litert") is None
LITERT = pytest.param(
    "litert",
    marks=pytest.mark.skipif(
        _NO_LITERT or not libraries.LITERT_DELEGATE.is_file(),
        reason="LiteRT is not installed, or the delegate is not built",
    ),
)
EXECUTORS = ["golden", CORE, LITERT]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.label)
def test_layer(case, executor):
    outputs, state = RUN_LAYER[executor](case.layer, case.inputs, case.initial_state, case.mask)
    assert outputs.dtype == state.dtype == np.int16
    np.testing.assert_array_equal(outputs, case.outputs)
    np.testing.assert_array_equal(state, case.state)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("case", MODELS, ids=lambda case: case.label)
def test_model(case, executor):
    outputs = RUN_MODEL[executor](case.model, case.inputs, case.mask)
    assert outputs.dtype == case.outputs.dtype
    np.testing.assert_array_equal(outputs, case.outputs)
