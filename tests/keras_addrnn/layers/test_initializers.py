"""The initializers: what they make, and that training starts and stays calm by default."""

import math

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from keras_addrnn.layers.initializers import GateBias, InhibitedOrthogonal

pytestmark = pytest.mark.backend_neutral


def recurrent_kernel(units, **settings):
    drawn = InhibitedOrthogonal(**settings)((units, 2 * units), dtype="float32")
    return keras.ops.convert_to_numpy(drawn)


@pytest.mark.parametrize("units", [1, 2, 7, 32])
def test_orthogonal_less_the_identity(units):
    drawn = recurrent_kernel(units, gain=0.3, inhibition=0.8, seed=1)
    orthogonal = drawn.copy()
    orthogonal[:, units:] += 0.8 * np.eye(units)
    np.testing.assert_allclose(orthogonal @ orthogonal.T, 0.09 * np.eye(units), atol=1e-6)


def test_seed():
    first, again, other = (recurrent_kernel(5, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_config_round_trip():
    initializer = InhibitedOrthogonal(gain=0.2, inhibition=0.7, seed=3)
    config = keras.initializers.serialize(initializer)
    again = keras.initializers.deserialize(config)
    assert isinstance(again, InhibitedOrthogonal)
    assert again.get_config() == initializer.get_config()
    assert again.get_config() == {"gain": 0.2, "inhibition": 0.7, "seed": 3}


def test_only_for_recurrent_kernels():
    with pytest.raises(ValueError, match=r"recurrent kernel.*\(3, 5\)"):
        InhibitedOrthogonal()((3, 5))


@pytest.mark.parametrize("name", ("gain", "inhibition"))
@pytest.mark.parametrize("value, error", ((math.nan, ValueError), ("1", TypeError)))
def test_refused_settings(name, value, error):
    with pytest.raises(error, match=f"`{name}` must be .*{value}"):
        InhibitedOrthogonal(**{name: value})


def test_gates_that_forget_at_first():
    layer = ka.AddGRU(3, bias_initializer=GateBias(-0.5))
    layer.build((None, None, 2))
    bias = keras.ops.convert_to_numpy(layer.cell.bias)
    np.testing.assert_array_equal(bias, [-0.5, -0.5, -0.5, 0, 0, 0])
    again = ka.AddGRU.from_config(layer.get_config()).bias_initializer
    assert isinstance(again, GateBias) and again.value == -0.5


def test_an_untrained_layer_forgets_by_its_gate_bias():
    # Nothing but the bias: without inputs the state loses 0.5 a step.
    layer = ka.AddGRU(
        2,
        kernel_initializer="zeros",
        recurrent_initializer="zeros",
        bias_initializer=GateBias(-0.5),
        return_sequences=True,
    )
    state = keras.ops.convert_to_tensor([[1.25, 0.25]])
    states = keras.ops.convert_to_numpy(layer(keras.ops.zeros((1, 3, 1)), initial_state=state))
    np.testing.assert_array_equal(states, [[[0.75, 0], [0.25, 0], [0, 0]]])


def test_only_for_biases():
    for shape in ((2, 4), (5,)):
        with pytest.raises(ValueError, match=r"GateBias is for a bias \[2 \* units\].*shape="):
            GateBias(-0.5)(shape)


@pytest.mark.parametrize("value, error", ((math.inf, ValueError), (None, TypeError)))
def test_refused_gate_biases(value, error):
    with pytest.raises(error, match=f"`value` must be .*{value}"):
        GateBias(value)


def test_layers_draw_weights_of_their_own():
    first, second = ka.AddGRU(4), ka.AddGRU(4)
    for layer in (first, second):
        layer.build((None, None, 3))
    weights = [keras.ops.convert_to_numpy(layer.cell.recurrent_kernel) for layer in (first, second)]
    assert (weights[0] != weights[1]).any()


@pytest.mark.parametrize("seed", range(3))
def test_state_stays_small_over_long_sequences(seed):
    # With orthogonal weights of gain 1, as GRU has them, the state overflows here; of gain 0.1, it
    # is above 1e5.
    keras.utils.set_random_seed(seed)
    x = np.random.default_rng(seed).random((8, 500, 4)).astype("float32")
    state = keras.ops.convert_to_numpy(ka.AddGRU(64)(x))
    assert np.abs(state).max() < 10
