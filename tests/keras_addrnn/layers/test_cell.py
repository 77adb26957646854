"""`AddGRUCell`: one step, alone and in Keras' own loop."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, expected, lively, sequences, to_numpy
from tests.support import ACTIVATIONS, IMPLEMENTATIONS

pytestmark = pytest.mark.backend_neutral


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_step(activation, implementation):
    x, state = sequences(steps=1), np.full((4, 5), 0.3, "float32")
    settings = lively(5) | {"activation": activation, "state_shift": 0.2, "state_max": 1.5}
    layer = ka.AddGRU(**settings)
    layer.build(x.shape)
    wanted = expected(layer, x, state)[1]

    cell = ka.AddGRUCell(**settings, implementation=implementation)
    output, states = cell(x[:, 0], [state])
    assert isinstance(states, list) and len(states) == 1
    assert_close([output, states[0]], [wanted, wanted])
    output, new_state = cell(x[:, 0], state)
    assert_close([output, new_state], [wanted, wanted])


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("go_backwards", (False, True))
def test_in_keras_rnn(go_backwards, implementation):
    x = sequences()
    settings = {"return_sequences": True, "return_state": True, "go_backwards": go_backwards}
    cell = ka.AddGRUCell(**lively(5), implementation=implementation)
    rnn = keras.layers.RNN(cell, **settings)
    layer = ka.AddGRU(**lively(5), **settings)
    layer.build(x.shape)
    assert_close(rnn(x), list(expected(layer, x)))


def test_stacked_cells():
    x = sequences()
    first, second = ka.AddGRUCell(**lively(5)), ka.AddGRUCell(**lively(4, seed=7))
    stacked = keras.layers.RNN(keras.layers.StackedRNNCells([first, second]))
    lower = ka.AddGRU(**lively(5), return_sequences=True)
    upper = ka.AddGRU(**lively(4, seed=7))
    assert_close(stacked(x), to_numpy(upper(lower(x))))


def test_stacked_cells_with_dropout_train():
    cells = [ka.AddGRUCell(4, dropout=0.2, recurrent_dropout=0.2) for _ in range(2)]
    model = keras.Sequential([keras.Input((6, 3)), keras.layers.RNN(cells)])
    model.compile("sgd", "mse")
    losses = model.fit(sequences(), np.zeros((4, 4)), epochs=2, verbose=0).history["loss"]
    assert np.all(np.isfinite(losses))


def test_initial_state():
    cell = ka.AddGRUCell(5)
    (state,) = cell.get_initial_state(batch_size=3)
    assert_close(state, np.zeros((3, 5)))
    assert cell.state_size == cell.output_size == 5


def test_weights_are_those_of_the_layer():
    x = sequences()
    cell, layer = ka.AddGRUCell(5), ka.AddGRU(5)
    cell.build((4, 3))
    layer.build(x.shape)
    shapes = [tuple(w.shape) for w in cell.weights]
    assert shapes == [(3, 10), (5, 10), (10,)]
    assert shapes == [tuple(w.shape) for w in layer.trainable_weights]
    assert [w.name for w in layer.non_trainable_weights] == ["input_scale"]
    assert [w.name for w in cell.weights] == ["kernel", "recurrent_kernel", "bias"]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize(
    "name, value",
    [("activation", "hard_tanh"), ("activation", None), ("state_shift", 0.2), ("state_max", 0.4)],
)
def test_a_setting_that_is_changed_later_is_what_runs(name, value, implementation):
    x, wanted = sequences(), ka.AddGRU(**lively(5), **{name: value})
    wanted.build(x.shape)
    layer = ka.AddGRU(**lively(5), implementation=implementation)
    layer(x)
    setattr(layer.cell, name, value)
    assert_close(layer(x), expected(wanted, x)[1])
    assert layer.get_config()[name] == wanted.get_config()[name]


def test_a_setting_that_is_changed_is_checked():
    layer = ka.AddGRU(2)
    layer.cell.state_max = -1.0
    with pytest.raises(ValueError, match="`state_max` must be above"):
        layer(sequences())
