"""Dtype policies: what is computed, kept and put out in which precision."""

import keras
import ml_dtypes
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, expected, lively, sequences
from tests.support import IMPLEMENTATIONS

# The compute dtype of each policy, and how far it is from the reference over a few steps.
POLICIES = {
    "float32": ("float32", 1e-5),
    "mixed_float16": ("float16", 2e-2),
    "mixed_bfloat16": ("bfloat16", 1e-1),
    "float16": ("float16", 2e-2),
    "bfloat16": ("bfloat16", 1e-1),
}


def dtype_of(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


@pytest.mark.backend_neutral
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("policy", POLICIES)
def test_policy(policy, implementation):
    x = sequences()
    settings = {**lively(5), "return_sequences": True, "return_state": True, "dtype": policy}
    layer = ka.AddGRU(**settings, implementation=implementation)
    compute_dtype, tolerance = POLICIES[policy]
    outputs, state = layer(x)
    assert dtype_of(outputs) == dtype_of(state) == compute_dtype
    assert {dtype_of(w) for w in layer.weights} == {keras.DTypePolicy(policy).variable_dtype}
    float32 = [keras.ops.cast(t, "float32") for t in (outputs, state)]
    assert_close(float32, list(expected_of_rounded(layer, x, compute_dtype)), tolerance)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_float64(implementation):
    x = sequences().astype("float64")
    layer = ka.AddGRU(**lively(5), dtype="float64", implementation=implementation)
    assert_close(layer(x), expected(layer, x)[1], tolerance=1e-12)
    assert dtype_of(layer(x)) == "float64"
    assert dtype_of(layer(x.astype("float32"))) == "float64"


@pytest.mark.backend_neutral
@pytest.mark.parametrize("policy", ("mixed_float16", "mixed_bfloat16"))
def test_global_policy(policy, dtype_policy):
    dtype_policy(policy)
    layer = ka.AddGRU(4, return_sequences=True, dropout=0.1, recurrent_dropout=0.1)
    cell = keras.layers.RNN(ka.AddGRUCell(4))
    model = keras.Sequential(
        [keras.Input((6, 3)), keras.layers.Masking(), layer, cell, keras.layers.Dense(1)]
    )
    model.compile("adam", "mse")
    losses = model.fit(sequences(), np.ones((4, 1)), epochs=2, verbose=0).history["loss"]
    assert np.all(np.isfinite(losses))
    assert layer.compute_dtype == cell.cell.compute_dtype == POLICIES[policy][0]
    assert {dtype_of(w) for w in layer.weights} == {"float32"}


@pytest.mark.backend_neutral
def test_stateful_in_mixed_precision():
    layer = ka.AddGRU(**lively(5), stateful=True, dtype="mixed_bfloat16")
    layer(sequences())
    assert dtype_of(layer(sequences())) == "bfloat16"
    assert dtype_of(layer.states[0]) == "float32"


@pytest.mark.backend_neutral
def test_initial_state_is_cast():
    x, state = sequences(), np.ones((4, 5), "float32")
    layer = ka.AddGRU(**lively(5), dtype="mixed_float16")
    assert dtype_of(layer(x, initial_state=state)) == "float16"


def expected_of_rounded(layer, x, dtype):
    return expected(layer, x.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype))
