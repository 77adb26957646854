"""Configs, files and clones: what is written comes back the same."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, lively, sequences, to_numpy

pytestmark = pytest.mark.backend_neutral

CLASSES = (ka.AddGRU, ka.AddGRUCell)

EVERY_SHARED_ARGUMENT = {
    "units": 5,
    "activation": "hard_tanh",
    "state_shift": 0.1,
    "state_max": 16,
    "use_bias": False,
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.3, seed=4),
    "recurrent_initializer": "identity",
    "bias_initializer": "ones",
    "kernel_regularizer": keras.regularizers.L2(0.1),
    "recurrent_regularizer": "l1",
    "bias_regularizer": keras.regularizers.L1L2(0.1, 0.2),
    "kernel_constraint": keras.constraints.MaxNorm(3),
    "recurrent_constraint": "non_neg",
    "bias_constraint": keras.constraints.UnitNorm(),
    "dropout": 0.25,
    "recurrent_dropout": 0.5,
    "seed": 11,
    "implementation": "composed",
    "name": "mine",
    "trainable": False,
    "dtype": "mixed_bfloat16",
}
EVERY_ARGUMENT = {
    ka.AddGRUCell: EVERY_SHARED_ARGUMENT | {"scale_inputs": True},
    ka.AddGRU: EVERY_SHARED_ARGUMENT
    | {
        "activity_regularizer": keras.regularizers.L2(0.3),
        "return_sequences": True,
        "return_state": True,
        "go_backwards": True,
        "stateful": True,
        "unroll": True,
        "zero_output_for_mask": True,
        "scale_inputs": False,
    },
}


@keras.saving.register_keras_serializable(package="tests")
def halved_relu(z):
    return keras.ops.relu(z) * 0.5


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("every", (False, True))
def test_config_round_trip(cls, every):
    layer = cls(**EVERY_ARGUMENT[cls]) if every else cls(5)
    config = layer.get_config()
    again = cls.from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    if every:
        assert EVERY_ARGUMENT[cls].keys() <= config.keys()
        default = cls(5).get_config()
        same = [name for name, value in config.items() if value == default[name]]
        assert same == ["units"]


def test_config_keeps_what_was_given():
    config = ka.AddGRU(4, state_shift=0.1, state_max=0.7).get_config()
    assert (config["state_shift"], config["state_max"]) == (0.1, 0.7)  # and not rounded to float32


@pytest.mark.parametrize("cls", CLASSES)
def test_serialized_as_a_keras_object(cls):
    layer = cls(5, activation=halved_relu)
    serialized = keras.saving.serialize_keras_object(layer)
    assert serialized["registered_name"] == f"keras_addrnn>{cls.__name__}"
    again = keras.saving.deserialize_keras_object(serialized)
    assert type(again) is cls and again.activation is halved_relu


def model_of_everything():
    x = keras.Input((None, 3))
    h = keras.layers.Masking()(x)
    h = keras.layers.Bidirectional(
        ka.AddGRU(**lively(4), return_sequences=True, activation="tanh", state_shift=0.5)
    )(h)
    h = keras.layers.RNN([ka.AddGRUCell(4), ka.AddGRUCell(3, state_max=2)], return_sequences=True)(
        h
    )
    h = ka.AddGRU(**lively(4), activation=halved_relu, dropout=0.1)(h)
    return keras.Model(x, h)


def test_keras_file(tmp_path):
    x, model = sequences(), model_of_everything()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_close(again.predict(x, verbose=0), model.predict(x, verbose=0), tolerance=1e-6)
    assert again.to_json() == model.to_json()


def test_weights_file(tmp_path):
    x, model, other = sequences(), model_of_everything(), model_of_everything()
    model.save_weights(tmp_path / "model.weights.h5")
    assert np.abs(other.predict(x, verbose=0) - model.predict(x, verbose=0)).max() > 0
    other.load_weights(tmp_path / "model.weights.h5")
    assert_close(other.predict(x, verbose=0), model.predict(x, verbose=0), tolerance=1e-6)


def test_weights_of_one_implementation_serve_the_other(tmp_path):
    x = sequences()
    auto = keras.Sequential([keras.Input((None, 3)), ka.AddGRU(**lively(5))])
    auto.save_weights(tmp_path / "model.weights.h5")
    composed = keras.Sequential([keras.Input((None, 3)), ka.AddGRU(5, implementation="composed")])
    composed.load_weights(tmp_path / "model.weights.h5")
    assert_close(composed.predict(x, verbose=0), auto.predict(x, verbose=0))


def test_clone_model():
    x, model = sequences(), model_of_everything()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert_close(clone.predict(x, verbose=0), model.predict(x, verbose=0), tolerance=1e-6)


def test_functional_model_of_the_op(tmp_path):
    rng = np.random.default_rng(0)
    kernel, recurrent_kernel = rng.normal(size=(3, 8)), rng.normal(size=(4, 8)) * 0.3
    kernel, recurrent_kernel = kernel.astype("float32"), recurrent_kernel.astype("float32")
    x = keras.Input((None, 3))
    outputs, state = ka.ops.add_gru(x, kernel, recurrent_kernel, activation="tanh", state_max=1.5)
    state = ka.ops.add_gru_step(x[:, 0], state, kernel, recurrent_kernel, state_shift=0.5)
    model = keras.Model(x, [outputs, state])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    inputs = sequences()
    assert_close(again.predict(inputs, verbose=0), model.predict(inputs, verbose=0), 1e-6)
    wanted, last = ka.ops.add_gru(
        inputs, kernel, recurrent_kernel, activation="tanh", state_max=1.5
    )
    assert_close(model.predict(inputs, verbose=0)[0], to_numpy(wanted))


LOAD = """
import {first}
import {second}
import numpy as np
model = keras.models.load_model({path!r})
np.save({out!r}, model.predict(np.load({inputs!r}), verbose=0))
"""


@pytest.mark.parametrize("order", (("keras_addrnn", "keras"), ("keras", "keras_addrnn")))
def test_load_in_a_process_that_only_imports_the_package(tmp_path, order):
    x = sequences()
    model = keras.Sequential([keras.Input((None, 3)), ka.AddGRU(**lively(5))])
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "inputs.npy", x)
    code = LOAD.format(
        first=order[0],
        second=order[1],
        path=str(tmp_path / "model.keras"),
        inputs=str(tmp_path / "inputs.npy"),
        out=str(tmp_path / "out.npy"),
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
    assert_close(np.load(tmp_path / "out.npy"), model.predict(x, verbose=0), tolerance=1e-6)


def test_an_activation_that_is_not_registered_names_the_remedy():
    def unregistered(z):
        return z

    config = ka.AddGRU(4, activation=unregistered).get_config()
    with pytest.raises(TypeError, match="register_keras_serializable"):
        ka.AddGRU.from_config(config)
