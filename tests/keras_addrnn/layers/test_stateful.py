"""`stateful=True`: a batch starts where the one before ended."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, expected, lively, sequences, to_numpy
from tests.support import IMPLEMENTATIONS

pytestmark = pytest.mark.backend_neutral


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_two_halves_are_the_whole(implementation):
    x = sequences()
    settings = {**lively(5), "return_sequences": True, "implementation": implementation}
    layer = ka.AddGRU(**settings, stateful=True)
    halves = [to_numpy(layer(half)) for half in (x[:, :2], x[:, 2:])]
    whole = expected(layer, x)[0]
    assert_close(np.concatenate(halves, axis=1), whole)
    assert_close(layer.states[0], whole[:, -1])


def test_reset_state():
    x = sequences()
    layer = ka.AddGRU(**lively(5), stateful=True)
    first = to_numpy(layer(x))
    assert np.abs(first).max() > 0
    layer.reset_state()
    assert_close(layer.states[0], np.zeros((4, 5)))
    assert_close(layer(x), first)


def test_a_given_state_replaces_the_kept_one():
    x, state = sequences(), np.ones((4, 5), "float32")
    layer = ka.AddGRU(**lively(5), stateful=True)
    layer(x)
    assert_close(layer(x, initial_state=state), expected(layer, x, state)[1])
    assert_close(layer.states[0], expected(layer, x, state)[1])


def test_predict_and_fit():
    x = sequences()
    layer = ka.AddGRU(**lively(5), stateful=True)
    model = keras.Sequential([keras.Input(batch_shape=(4, 6, 3)), layer])
    model.compile("sgd", "mse")
    once = expected(layer, x)[1]
    assert_close(model.predict(x, batch_size=4, verbose=0), once)
    if keras.backend.backend() != "jax":  # where Keras' predict keeps no state, of no layer
        twice = expected(layer, x, once)[1]
        assert_close(model.predict(x, batch_size=4, verbose=0), twice)
    layer.reset_state()
    losses = model.fit(x, np.zeros((4, 5)), batch_size=4, epochs=2, verbose=0).history["loss"]
    assert np.all(np.isfinite(losses))


def test_needs_a_known_batch_size():
    with pytest.raises(ValueError, match="batch size must be static"):
        ka.AddGRU(5, stateful=True).build((None, 6, 3))


def test_another_batch_size():
    layer = ka.AddGRU(5, stateful=True)
    layer(sequences(batch=4))
    with pytest.raises(ValueError, match="stateful layer.* 4 sequences.*batch of 3"):
        layer(sequences(batch=3))
