"""The layers of a model in order, or why they have none."""

import keras
import pytest

import keras_addrnn as ka
from keras_addrnn._sequential import layers_in_order

pytestmark = pytest.mark.backend_neutral


def test_sequential_functional_and_loaded(tmp_path):
    sequential = keras.Sequential(
        [keras.Input((None, 3)), ka.AddGRU(4), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
    )
    x = keras.Input((None, 3))
    functional = keras.Model(x, keras.layers.Dense(2)(ka.AddGRU(4)(x)))
    for model in (sequential, functional):
        assert layers_in_order(model) == [
            layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)
        ]
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        names = [layer.name for layer in layers_in_order(model)]
        assert [layer.name for layer in layers_in_order(loaded)] == names


def test_layers_called_elsewhere_too():
    x, y = keras.Input((None, 3)), keras.Input((7, 3))
    gru, dense = ka.AddGRU(4), keras.layers.Dense(2)
    dense(gru(y))
    assert layers_in_order(keras.Model(x, dense(gru(x)))) == [gru, dense]


def twice():
    x, layer = keras.Input((None, 3)), ka.AddGRU(3, return_sequences=True)
    return keras.Model(x, layer(layer(x)))


def residual():
    x = keras.Input((None, 3))
    return keras.Model(x, keras.layers.Add()([x, ka.AddGRU(3, return_sequences=True)(x)]))


def with_state():
    x = keras.Input((None, 3))
    outputs, _ = ka.AddGRU(3, return_state=True)(x)
    return keras.Model(x, outputs)


def two_outputs():
    x = keras.Input((None, 3))
    return keras.Model(x, ka.AddGRU(3, return_state=True)(x))


def bare_operation():
    x = keras.Input((None, 3))
    return keras.Model(x, keras.ops.relu(ka.AddGRU(3, return_sequences=True)(x)))


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: None, TypeError, "must be a keras.Model"),
        (lambda: keras.Sequential([ka.AddGRU(4)]), ValueError, "must be built"),
        (twice, ValueError, "must follow one another"),
        (residual, ValueError, "must follow one another"),
        (with_state, ValueError, "use return_state=False"),
        (two_outputs, ValueError, "must have one output"),
        (
            bare_operation,
            ValueError,
            "must be made of layers alone.*'relu.*keras.layers.Activation",
        ),
    ],
)
def test_refused(make, error, message):
    with pytest.raises(error, match=message):
        layers_in_order(make())
