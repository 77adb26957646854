"""Arguments of the layers that are refused, by name, value and expectation."""

import math

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import sequences
from tests.support import why_no_fused

pytestmark = pytest.mark.backend_neutral

CLASSES = (ka.AddGRU, ka.AddGRUCell)
REFUSED = (
    ({"units": -3}, ValueError, "`units` must be a positive integer.*-3"),
    ({"units": 0}, ValueError, "`units` must be a positive integer.*0"),
    ({"units": True}, TypeError, "`units` must be a positive integer.*True"),
    ({"units": 2.5}, TypeError, "`units` must be a positive integer.*2.5"),
    ({"units": "8"}, TypeError, "`units` must be a positive integer.*'8'"),
    ({"units": None}, TypeError, "`units` must be a positive integer.*None"),
    ({"state_shift": -0.5}, ValueError, "`state_shift` must be at least 0.*-0.5"),
    ({"state_shift": math.nan}, ValueError, "`state_shift` must be a finite.*nan"),
    ({"state_shift": math.inf}, ValueError, "`state_shift` must be a finite.*inf"),
    ({"state_shift": None}, TypeError, "`state_shift` must be a number.*None"),
    ({"state_shift": "1"}, TypeError, "`state_shift` must be a number.*'1'"),
    ({"state_max": math.nan}, ValueError, "`state_max` must be a finite.*nan.*Pass None"),
    ({"state_max": math.inf}, ValueError, "`state_max` must be a finite.*inf.*Pass None"),
    ({"state_max": 10**400}, ValueError, r"`state_max` must be a finite number.*Pass None"),
    ({"state_shift": 10**400}, ValueError, "`state_shift` must be a finite number"),
    ({"dropout": 10**400}, ValueError, "`dropout` must be a finite number"),
    ({"state_max": 1e39}, ValueError, r"`state_max` must be a finite.*1e\+39.*Pass None"),
    ({"state_max": 0}, ValueError, "`state_max` must be above.*0"),
    (
        {"state_max": -0.5, "state_shift": 0.5},
        ValueError,
        "above `-state_shift`.*state_max=-0.5, state_shift=0.5",
    ),
    ({"state_max": [1]}, TypeError, r"`state_max` must be a number.*\[1\]"),
    ({"activation": "rleu"}, ValueError, "`activation` must be.*'rleu'.*Did you mean 'relu'"),
    ({"activation": 3}, ValueError, "`activation` must be.*3"),
    ({"use_bias": "no"}, TypeError, "`use_bias` must be True or False.*'no'"),
    ({"dropout": 1.0}, ValueError, "`dropout` must be at least 0 and below 1.*1.0"),
    ({"dropout": -0.1}, ValueError, "`dropout` must be at least 0 and below 1.*-0.1"),
    ({"recurrent_dropout": math.nan}, ValueError, "`recurrent_dropout` must be.*nan"),
    ({"recurrent_dropout": None}, TypeError, "`recurrent_dropout` must be a number.*None"),
    ({"implementation": "gpu"}, ValueError, "`implementation` must be one of.*'gpu'"),
    (
        {"implementation": np.array(["auto", "fused"])},
        ValueError,
        "`implementation` must be one of.*array",
    ),
    (
        {"implementation": "fused", "recurrent_dropout": 0.1},
        ValueError,
        "no recurrent dropout.*recurrent_dropout=0.1",
    ),
)


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("settings, error, message", REFUSED)
def test_settings(cls, settings, error, message):
    with pytest.raises(error, match=message):
        cls(**{"units": 4, **settings})


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("name", ("recurrent_activation", "reset_after", "use_cudnn"))
def test_arguments_of_gru_without_a_meaning(cls, name):
    with pytest.raises(ValueError, match=f"`{name}` of GRU has no meaning here: .*Leave it out"):
        cls(4, **{name: True})


@pytest.mark.parametrize("cls", CLASSES)
def test_implementation_can_be_changed(cls):
    def jit(layer):  # as Keras asks a model
        return all(part.supports_jit for part in layer._flatten_layers())

    layer = cls(4)
    assert jit(layer)
    layer.implementation = "fused"
    assert layer.get_config()["implementation"] == "fused"
    assert jit(layer) or why_no_fused()  # on every backend a compiled model can hold the op
    layer.implementation = "composed"
    assert jit(layer)
    with pytest.raises(ValueError, match="`implementation` must be one of.*'gpu'"):
        layer.implementation = "gpu"
    with pytest.raises(ValueError, match="no recurrent dropout"):
        cls(4, recurrent_dropout=0.5).implementation = "fused"


@pytest.mark.parametrize("cls", CLASSES)
def test_numpy_numbers_are_numbers(cls):
    layer = cls(
        np.int64(4), state_shift=np.float32(0.5), state_max=np.float64(2), dropout=np.float32(0)
    )
    assert layer.units == 4 and type(layer.units) is int
    assert (layer.state_shift, layer.state_max) == (0.5, 2.0)


def test_lowest_bound():
    assert ka.AddGRU(4, state_shift=1.0, state_max=-0.9)(sequences()).shape == (4, 4)


def test_fused_cannot_be_unrolled():
    with pytest.raises(ValueError, match="cannot be unrolled.*unroll=True"):
        ka.AddGRU(4, unroll=True, implementation="fused")
    with pytest.raises(ValueError, match="cannot be unrolled.*unroll=True"):
        ka.AddGRU(4, unroll=True).implementation = "fused"


def test_rank():
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        ka.AddGRU(4)(np.zeros((2, 3), "float32"))
    with pytest.raises(ValueError, match=r"`inputs` must have the shape \[batch, features\]"):
        ka.AddGRUCell(4)(np.zeros((2, 3, 4), "float32"), np.zeros((2, 4), "float32"))


def test_another_number_of_features():
    layer = ka.AddGRU(4)
    layer(sequences(features=3))
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 3"):
        layer(sequences(features=2))
    cell = ka.AddGRUCell(4)
    cell(sequences(features=3)[:, 0], np.zeros((4, 4), "float32"))
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 3"):
        cell(sequences(features=2)[:, 0], np.zeros((4, 4), "float32"))


@pytest.mark.parametrize("shape", ((4, 5), (3, 6), (4,), (4, 6, 1)))
def test_shape_of_the_mask(shape):
    with pytest.raises(ValueError, match=r"`mask` must have the shape \[4, 6\]"):
        ka.AddGRU(4)(sequences(), mask=np.ones(shape, bool))


@pytest.mark.parametrize("shape", ((3, 4), (1, 4), (4, 3), (4,), (4, 1, 4)))
def test_shape_of_the_initial_state(shape):
    with pytest.raises(ValueError, match=r"`initial_state` must have the shape \[4, 4\]"):
        ka.AddGRU(4)(sequences(), initial_state=np.zeros(shape, "float32"))
    with pytest.raises(ValueError, match=r"`state` must have the shape \[4, 4\]"):
        ka.AddGRUCell(4)(sequences()[:, 0], [np.zeros(shape, "float32")])


def test_number_of_initial_states():
    state = np.zeros((4, 4), "float32")
    with pytest.raises(ValueError, match="`initial_state` must be one tensor.*2 states"):
        ka.AddGRU(4)(sequences(), initial_state=[state, state])


def test_fused_where_it_cannot_run():
    layer = ka.AddGRU(4, activation="gelu", implementation="fused")
    with pytest.raises(ValueError, match='implementation="fused" cannot be used: .*'):
        layer(keras.ops.zeros((2, 3, 4)))
