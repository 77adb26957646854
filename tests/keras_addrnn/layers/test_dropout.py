"""Dropout of the inputs and of the recurrent state: in training only, one mask for all steps."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, expected, lively, sequences, to_numpy
from tests.support import IMPLEMENTATIONS

pytestmark = pytest.mark.backend_neutral


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_only_in_training(implementation):
    x = sequences()
    layer = ka.AddGRU(**lively(5), dropout=0.5, seed=1, implementation=implementation)
    wanted = expected_after(layer, x)
    assert_close(layer(x), wanted)
    assert_close(layer(x, training=False), wanted)
    assert np.abs(to_numpy(layer(x, training=True)) - wanted).max() > 0.01


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_drops_the_same_inputs_at_every_step(implementation):
    # Units that copy what they see: u = -100, c = x.
    features, rate = 50, 0.4
    layer = ka.AddGRU(
        features,
        dropout=rate,
        return_sequences=True,
        recurrent_initializer="zeros",
        seed=1,
        scale_inputs=False,
        implementation=implementation,
    )
    layer.build((3, 4, features))
    kernel = np.concatenate([np.zeros((features, features)), np.eye(features)], axis=1)
    bias = np.concatenate([np.full(features, -100.0), np.zeros(features)])
    layer.set_weights([kernel, np.zeros((features, 2 * features)), bias])
    kept = to_numpy(layer(np.ones((3, 4, features), "float32"), training=True))
    assert_close(kept, np.repeat(kept[:, :1], 4, axis=1))
    assert set(np.round(np.unique(kept), 5)) == {0.0, np.round(np.float32(1 / (1 - rate)), 5)}
    assert 0.4 < (kept > 0).mean() < 0.8
    assert np.any(kept[0] != kept[1])


@pytest.mark.parametrize("unroll", (False, True))
def test_recurrent_dropout(unroll):
    x = sequences()
    layer = ka.AddGRU(**lively(5), recurrent_dropout=0.5, seed=1, unroll=unroll)
    wanted = expected_after(layer, x)
    assert_close(layer(x), wanted)
    assert np.abs(to_numpy(layer(x, training=True)) - wanted).max() > 0.01


def test_recurrent_dropout_spares_what_the_gate_keeps():
    # The recurrent kernel is zero: there is nothing left that it could change.
    x = sequences()
    settings = lively(5) | {"recurrent_initializer": "zeros"}
    layer = ka.AddGRU(**settings, recurrent_dropout=0.5)
    assert_close(layer(x, training=True), to_numpy(layer(x)))


def test_seed():
    x = sequences()

    def run(seed):
        layer = ka.AddGRU(**lively(5), dropout=0.5, recurrent_dropout=0.5, seed=seed)
        first, second = layer(x, training=True), layer(x, training=True)
        return to_numpy(first), to_numpy(second)

    first, second = run(1)
    again, _ = run(1)
    other, _ = run(2)
    assert_close(again, first)
    assert np.abs(first - second).max() > 0 and np.abs(first - other).max() > 0


@pytest.mark.parametrize("rates", ({"dropout": 0.5}, {"recurrent_dropout": 0.5}))
def test_in_a_cell_of_keras_rnn(rates):
    x = sequences()
    rnn = keras.layers.RNN(ka.AddGRUCell(**lively(5), **rates, seed=1))
    layer = ka.AddGRU(**lively(5))
    wanted = expected_after(layer, x)
    assert_close(rnn(x), wanted)
    assert np.abs(to_numpy(rnn(x, training=True)) - wanted).max() > 0.01


def expected_after(layer, x):
    layer.build(x.shape)
    return expected(layer, x)[1]
