"""Initializers, regularizers and constraints of the three weights."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, lively, sequences, to_numpy

pytestmark = pytest.mark.backend_neutral

CLASSES = (ka.AddGRU, ka.AddGRUCell)
SHAPES = {ka.AddGRU: (4, 6, 3), ka.AddGRUCell: (4, 3)}


def built(cls, **settings):
    layer = cls(5, **settings)
    layer.build(SHAPES[cls])
    return layer


@pytest.mark.parametrize("cls", CLASSES)
def test_initializers(cls):
    layer = built(
        cls,
        kernel_initializer="ones",
        recurrent_initializer=keras.initializers.Constant(2.0),
        bias_initializer="ones",
    )
    trained = list(map(to_numpy, layer.trainable_weights))
    assert_close(trained, [np.ones((3, 10)), np.full((5, 10), 2.0), np.ones(10)])


@pytest.mark.parametrize("cls", CLASSES)
def test_every_layer_draws_weights_of_its_own(cls):
    first, second = built(cls).get_weights(), built(cls).get_weights()
    for name, one, other in zip(("kernel", "recurrent_kernel"), first[:2], second[:2], strict=True):
        assert np.abs(one - other).max() > 1e-3, name


def test_both_classes_have_the_same_defaults():
    configs = [cls(5).get_config() for cls in CLASSES]
    for config in configs:
        del config["name"]
    layer, cell = configs
    # A cell sees no batch of sequences to take a scale from.
    assert (layer.pop("scale_inputs"), cell.pop("scale_inputs")) == (True, False)
    assert cell.items() <= layer.items()


@pytest.mark.parametrize("cls", CLASSES)
def test_regularizers(cls):
    layer = built(
        cls,
        kernel_initializer="ones",
        recurrent_initializer="ones",
        bias_initializer="ones",
        kernel_regularizer=keras.regularizers.L1(1.0),
        recurrent_regularizer=keras.regularizers.L1(10.0),
        bias_regularizer=keras.regularizers.L1(100.0),
    )
    losses = sorted(float(to_numpy(loss)) for loss in layer.losses)
    assert losses == [30.0, 500.0, 1000.0]


def test_activity_regularizer():
    x = sequences()
    layer = ka.AddGRU(**lively(5), activity_regularizer=keras.regularizers.L1(0.5))
    outputs = to_numpy(layer(x))
    assert_close(layer.losses, [0.5 * np.abs(outputs).sum() / len(x)])


@pytest.mark.parametrize("cls", CLASSES)
def test_constraints_are_those_of_the_variables(cls):
    constraints = {
        "kernel_constraint": keras.constraints.NonNeg(),
        "recurrent_constraint": keras.constraints.MaxNorm(1.0),
        "bias_constraint": keras.constraints.UnitNorm(),
    }
    layer = built(cls, **constraints)
    assert [w.constraint for w in layer.trainable_weights] == list(constraints.values())


def test_constraint_in_training():
    layer = ka.AddGRU(**lively(5), kernel_constraint="non_neg")
    model = keras.Sequential([keras.Input((6, 3)), layer])
    model.compile("sgd", "mse")
    assert to_numpy(layer.cell.kernel).min() < 0
    model.fit(sequences(), np.ones((4, 5)), verbose=0)
    assert to_numpy(layer.cell.kernel).min() >= 0


def test_not_trainable():
    layer = ka.AddGRU(5, trainable=False)
    layer.build((4, 6, 3))
    assert not layer.trainable_weights and len(layer.non_trainable_weights) == 4
