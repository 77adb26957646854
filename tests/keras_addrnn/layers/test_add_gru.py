"""`AddGRU` against the reference: what it returns, in which order, from which state."""

import dataclasses

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, expected, lively, sequences, to_numpy
from tests.support import ACTIVATIONS, IMPLEMENTATIONS

pytestmark = pytest.mark.backend_neutral


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("go_backwards", (False, True))
@pytest.mark.parametrize("return_state", (False, True))
@pytest.mark.parametrize("return_sequences", (False, True))
def test_returns(return_sequences, return_state, go_backwards, implementation):
    x = sequences()
    layer = ka.AddGRU(
        **lively(5),
        return_sequences=return_sequences,
        return_state=return_state,
        go_backwards=go_backwards,
        implementation=implementation,
    )
    got = layer(x)
    outputs, state = expected(layer, x)
    wanted = outputs if return_sequences else state
    assert_close(got, [wanted, state] if return_state else wanted)
    assert isinstance(got, tuple) == return_state


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("state_shift, state_max", ((0.0, None), (0.7, None), (0.7, 0.9), (0, 1)))
def test_gate(activation, state_shift, state_max, implementation):
    x = sequences()
    layer = ka.AddGRU(
        **lively(5),
        activation=activation,
        state_shift=state_shift,
        state_max=state_max,
        return_sequences=True,
        implementation=implementation,
    )
    got = layer(x)
    assert_close(got, expected(layer, x)[0])
    if state_max is not None:
        assert to_numpy(got).max() <= np.float32(state_max)
    assert to_numpy(got).min() >= -np.float32(state_shift)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_without_bias(implementation):
    x = sequences()
    layer = ka.AddGRU(**lively(5), use_bias=False, implementation=implementation)
    assert_close(layer(x), expected(layer, x)[1])
    assert [w.name for w in layer.trainable_weights] == ["kernel", "recurrent_kernel"]
    assert layer.cell.bias is None


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("as_list", (False, True))
def test_initial_state(as_list, implementation):
    x = sequences()
    state = np.random.default_rng(1).normal(size=(4, 5)).astype("float32")
    layer = ka.AddGRU(**lively(5), return_state=True, implementation=implementation)
    got = layer(x, initial_state=[state] if as_list else state)
    outputs, last = expected(layer, x, initial_state=state)
    assert_close(got, [last, last])


def test_initial_state_in_a_functional_model():
    x, state = sequences(), np.ones((4, 5), "float32")
    layer = ka.AddGRU(**lively(5), return_sequences=True)
    inputs, first = keras.Input((None, 3)), keras.Input((5,))
    model = keras.Model([inputs, first], layer(inputs, initial_state=first))
    assert_close(model.predict([x, state], verbose=0), expected(layer, x, initial_state=state)[0])


@pytest.mark.parametrize("go_backwards", (False, True))
def test_unroll(go_backwards):
    x = sequences()
    settings = {**lively(5), "return_sequences": True, "go_backwards": go_backwards}
    layer = ka.AddGRU(**settings, unroll=True)
    assert_close(layer(x), expected(layer, x)[0])


def test_any_callable_activation():
    x = sequences()
    layer = ka.AddGRU(**lively(5), activation=lambda z: keras.ops.relu(z) * 1.0)
    same = ka.AddGRU(**lively(5), activation="relu", implementation="composed")
    assert_close(layer(x), to_numpy(same(x)))


def test_no_activation_is_linear():
    x = sequences()
    layer = ka.AddGRU(**lively(5), activation=None)
    assert_close(layer(x), expected(layer, x)[1])
    assert layer.activation is keras.activations.linear


def test_integer_inputs():
    x = np.arange(24).reshape(2, 4, 3)
    layer = ka.AddGRU(**lively(5), state_max=100)
    assert_close(layer(x), expected(layer, x)[1])


def test_attributes_of_the_cell():
    layer = ka.AddGRU(4, activation="tanh", state_shift=0.5, state_max=2, dropout=0.1, seed=3)
    assert (layer.units, layer.state_shift, layer.state_max) == (4, 0.5, 2)
    assert (layer.dropout, layer.recurrent_dropout, layer.seed) == (0.1, 0, 3)
    assert layer.activation is keras.activations.tanh
    assert layer.implementation == "auto"


def test_an_activation_that_has_no_hash():
    @dataclasses.dataclass
    class Scaled:
        factor: float

        def __call__(self, z):
            return self.factor * z

    layer = ka.AddGRU(4, activation=Scaled(2.0))
    expected = ka.AddGRU(4, activation=lambda z: 2.0 * z)
    x = np.random.default_rng(0).normal(size=(2, 3, 5)).astype("float32")
    expected.build(x.shape), layer.build(x.shape)
    expected.set_weights(layer.get_weights())
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(layer(x)), keras.ops.convert_to_numpy(expected(x)), rtol=1e-6
    )


@pytest.mark.fused
def test_fused_is_not_composed_in_silence():
    x = np.zeros((2, 3, 5), "float32")
    layer = ka.AddGRU(4, implementation="fused")
    layer.cell.recurrent_dropout = 0.5
    with pytest.raises(ValueError, match="recurrent dropout"):
        layer(x, training=True)
    with pytest.raises(ValueError, match="recurrent dropout"):
        keras.layers.RNN(layer.cell)(x, training=True)
    layer = ka.AddGRU(4, implementation="fused")
    layer.unroll = True
    with pytest.raises(ValueError, match="unroll=True"):
        layer(x)
