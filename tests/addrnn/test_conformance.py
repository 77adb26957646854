"""Every executor of the integer model gives the golden vectors, bit for bit."""

import importlib.util

import numpy as np
import pytest

from addrnn import _libraries, executor, reference
from tests.golden import integer as vectors
from tests.support import needs_core

LAYERS = list(vectors.layer_cases())
MODELS = list(vectors.model_cases())
MIN_LAYERS = list(vectors.layer_cases(vectors.MIN_LAYER_GROUPS))
MIN_MODELS = list(vectors.model_cases("min_models"))


def _in_litert(name, *arguments):
    from tests.addrnn.lite import integer  # which needs LiteRT

    return getattr(integer, name)(*arguments)


def _in_tensorflow(name, *arguments):
    from tests.addrnn import tensorflow_executor

    return getattr(tensorflow_executor, name)(*arguments)


RUN_LAYER = {
    "reference": reference.run_layer,
    "compiled": executor.run_layer,
    "tensorflow": lambda *arguments: _in_tensorflow("run_layer", *arguments),
    "litert": lambda *arguments: _in_litert("run_layer", *arguments),
}
RUN_MIN_LAYER = {
    "reference": reference.run_min_add_gru,
    "compiled": executor.run_min_add_gru,
    "tensorflow": lambda *arguments: _in_tensorflow("run_min_add_gru", *arguments),
    "litert": lambda *arguments: _in_litert("run_layer", *arguments),
}


def _run_model(executor, model, inputs, mask):
    if executor == "litert":
        return _in_litert("run_model", model, inputs, mask)
    if executor == "tensorflow":
        return _in_tensorflow("run_model", model, inputs, mask)
    return model.run(inputs, mask, executor=executor)


_NO_LITERT = importlib.util.find_spec("ai_edge_litert") is None
LITERT = pytest.param(
    "litert",
    marks=pytest.mark.skipif(
        _NO_LITERT or not _libraries.LITERT_DELEGATE.is_file(),
        reason="LiteRT is not installed, or the delegate is not built",
    ),
)
COMPILED = pytest.param("compiled", marks=needs_core)
EXECUTORS = ["reference", COMPILED, "tensorflow", LITERT]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.label)
def test_layer(case, executor):
    outputs, state = RUN_LAYER[executor](case.layer, case.inputs, case.initial_state, case.mask)
    assert outputs.dtype == state.dtype == np.int16
    np.testing.assert_array_equal(outputs, case.outputs)
    np.testing.assert_array_equal(state, case.state)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("case", MIN_LAYERS, ids=lambda case: case.label)
def test_min_layer(case, executor):
    outputs, state = RUN_MIN_LAYER[executor](
        case.layer, case.inputs, case.initial_state, case.mask, case.initial_inputs
    )
    assert outputs.dtype == state.dtype == np.int16
    np.testing.assert_array_equal(outputs, case.outputs)
    np.testing.assert_array_equal(state, case.state)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("case", MODELS, ids=lambda case: case.label)
def test_model(case, executor):
    check_model(case, executor)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("case", MIN_MODELS, ids=lambda case: case.label)
def test_min_model(case, executor):
    check_model(case, executor)


def check_model(case, executor):
    outputs = _run_model(executor, case.model, case.inputs, case.mask)
    assert outputs.dtype == case.outputs.dtype
    np.testing.assert_array_equal(outputs, case.outputs)
