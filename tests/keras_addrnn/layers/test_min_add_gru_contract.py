"""`MinAddGRU` as Keras expects a layer: its own test, configs and files, refused arguments."""

import json
import math

import keras
import numpy as np
import pytest
from keras.src import testing

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, sequences
from tests.keras_addrnn.layers.test_min_add_gru import lively
from tests.support import why_no_fused

pytestmark = pytest.mark.backend_neutral

EVERY_ARGUMENT = {
    "units": 5,
    "kernel_size": 2,
    "activation": "hard_tanh",
    "use_bias": False,
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.3, seed=4),
    "bias_initializer": "ones",
    "kernel_regularizer": keras.regularizers.L2(0.1),
    "bias_regularizer": keras.regularizers.L1L2(0.1, 0.2),
    "activity_regularizer": keras.regularizers.L2(0.3),
    "kernel_constraint": keras.constraints.MaxNorm(3),
    "bias_constraint": keras.constraints.UnitNorm(),
    "dropout": 0.25,
    "seed": 11,
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "stateful": True,
    "zero_output_for_mask": True,
    "scale_inputs": False,
    "implementation": "composed",
    "name": "mine",
    "trainable": False,
    "dtype": "mixed_bfloat16",
}
REFUSED = (
    ({"units": 0}, ValueError, "`units` must be a positive integer.*0"),
    ({"units": 2.5}, TypeError, "`units` must be a positive integer.*2.5"),
    ({"kernel_size": 0}, ValueError, "`kernel_size` must be a positive integer.*0"),
    ({"kernel_size": None}, TypeError, "`kernel_size` must be a positive integer.*None"),
    ({"kernel_size": True}, TypeError, "`kernel_size` must be a positive integer.*True"),
    ({"activation": "rleu"}, ValueError, "`activation` must be.*'rleu'.*Did you mean 'relu'"),
    ({"use_bias": "no"}, TypeError, "`use_bias` must be True or False.*'no'"),
    ({"scale_inputs": 1}, TypeError, "`scale_inputs` must be True or False.*1"),
    ({"dropout": 1.0}, ValueError, "`dropout` must be at least 0 and below 1.*1.0"),
    ({"dropout": math.nan}, ValueError, "`dropout` must be.*nan"),
    ({"implementation": "gpu"}, ValueError, "`implementation` must be one of.*'gpu'"),
)
MEANINGLESS = {
    "recurrent_activation": "GRU",
    "reset_after": "GRU",
    "use_cudnn": "GRU",
    "recurrent_initializer": "GRU",
    "recurrent_regularizer": "GRU",
    "recurrent_constraint": "GRU",
    "recurrent_dropout": "GRU",
    "unroll": "GRU",
    "state_shift": "AddGRU",
    "state_max": "AddGRU",
}


class LayerTest(testing.TestCase):
    def check(self, **init_kwargs):
        returned = init_kwargs.get("return_sequences", False)
        self.run_layer_test(
            ka.MinAddGRU,
            init_kwargs={"units": 3, **init_kwargs},
            input_shape=(3, 2, 4),
            expected_output_shape=(3, 2, 3) if returned else (3, 3),
            expected_num_trainable_weights=2 if init_kwargs.get("use_bias", True) else 1,
            expected_num_non_trainable_weights=1,  # the inputs' scale
            supports_masking=True,
        )

    def test_defaults(self):
        self.check()

    def test_sequences(self):
        self.check(return_sequences=True, go_backwards=True, activation="tanh", kernel_size=1)

    def test_dropout_without_bias(self):
        self.check(dropout=0.5, use_bias=False)

    def test_composed(self):
        self.check(implementation="composed", activation="gelu")

    def test_regularized(self):
        self.run_layer_test(
            ka.MinAddGRU,
            init_kwargs={"units": 3, "kernel_regularizer": "l2", "activity_regularizer": "l1"},
            input_shape=(3, 2, 4),
            expected_output_shape=(3, 3),
            expected_num_losses=2,
        )


@pytest.mark.parametrize("every", (False, True))
def test_config_round_trip(every):
    layer = ka.MinAddGRU(**EVERY_ARGUMENT) if every else ka.MinAddGRU(5)
    config = layer.get_config()
    again = ka.MinAddGRU.from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    if every:
        assert EVERY_ARGUMENT.keys() == config.keys()
        default = ka.MinAddGRU(5).get_config()
        assert [name for name, value in config.items() if value == default[name]] == ["units"]


def model_of_everything():
    x = keras.Input((None, 3))
    h = keras.layers.Bidirectional(ka.MinAddGRU(**lively(4), return_sequences=True))(
        keras.layers.Masking()(x)
    )
    h, *states = ka.MinAddGRU(**lively(8), return_sequences=True, return_state=True, dropout=0.1)(h)
    h = ka.MinAddGRU(**lively(8), activation="tanh")(h, initial_state=states)
    return keras.Model(x, h)


def test_files(tmp_path):
    x, model, other = sequences(), model_of_everything(), model_of_everything()
    wanted = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_close(again.predict(x, verbose=0), wanted, 1e-6)
    assert again.to_json() == model.to_json()
    other.set_weights([0.5 * weight for weight in other.get_weights()])
    assert np.abs(other.predict(x, verbose=0) - wanted).max() > 0
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert_close(other.predict(x, verbose=0), wanted, 1e-6)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert_close(clone.predict(x, verbose=0), wanted, 1e-6)


@pytest.mark.parametrize("settings, error, message", REFUSED)
def test_refused(settings, error, message):
    with pytest.raises(error, match=message):
        ka.MinAddGRU(**{"units": 4, **settings})


@pytest.mark.parametrize("name", MEANINGLESS)
def test_arguments_of_others_without_a_meaning(name):
    owner = MEANINGLESS[name]
    with pytest.raises(
        ValueError, match=f"`{name}` of {owner} has no meaning here: .*Leave it out"
    ):
        ka.MinAddGRU(4, **{name: True})


def test_inputs_and_states_that_do_not_fit():
    layer, x = ka.MinAddGRU(4), sequences()
    state, before = np.zeros((4, 4), "float32"), np.zeros((4, 2, 3), "float32")
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        layer(x[:, 0])
    layer(x)
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 3"):
        layer(sequences(features=2))
    with pytest.raises(ValueError, match=r"`mask` must have the shape \[4, 6\]"):
        layer(x, mask=np.ones((4, 5), bool))
    with pytest.raises(ValueError, match=r"`initial_state` must have the shape \[4, 4\]"):
        layer(x, initial_state=state[:, :3])
    with pytest.raises(ValueError, match=r"`initial_inputs` must have the shape \[4, 2, 3\]"):
        layer(x, initial_state=[state, before[:, :1]])
    for states in ([], [state, before, before]):
        with pytest.raises(ValueError, match=f"be one tensor.*last inputs.*{len(states)} states"):
            layer(x, initial_state=states)
    with pytest.raises(ValueError, match="be one tensor .* or a list with it. Received: 2 states"):
        ka.MinAddGRU(4, kernel_size=1)(x, initial_state=[state, before[:, :0]])


def test_the_last_dimension_must_be_known():
    with pytest.raises(ValueError, match="last dimension of `inputs`"):
        ka.MinAddGRU(5).build((4, 6, None))


def test_fused_where_it_cannot_run():
    layer = ka.MinAddGRU(4, activation="gelu", implementation="fused")
    assert layer.supports_jit or why_no_fused()
    with pytest.raises(ValueError, match='implementation="fused" cannot be used: .*'):
        layer(keras.ops.zeros((2, 3, 4)))
    layer.implementation = "auto"
    assert layer.supports_jit and tuple(layer(keras.ops.zeros((2, 3, 4))).shape) == (2, 4)
