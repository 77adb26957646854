"""Exports of a model on JAX: they hold no custom call, so that processes elsewhere can run them."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, lively, sequences

pytestmark = [
    pytest.mark.backend_neutral,
    pytest.mark.fused,
    pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX's exports"),
]


def model_of(**settings):
    return keras.Sequential(
        [
            keras.Input((None, 3)),
            ka.AddGRU(**lively(5), return_sequences=True, **settings),
            ka.MinAddGRU(4, return_sequences=True, **settings),
            keras.layers.RNN(ka.AddGRUCell(**lively(3), **settings)),
        ]
    )


def test_a_traced_model_holds_the_op_and_an_exported_one_does_not():
    import jax

    model, x = model_of(), sequences()
    call = jax.jit(lambda x: model(x, training=False))
    assert call.lower(x).as_text().count("addrnn_") >= 3
    exported = jax.export.export(jax.jit(lambda x: model(x, training=False)))(x)
    assert "addrnn_" not in exported.mlir_module()
    again = jax.export.deserialize(exported.serialize())
    assert_close(again.call(x), np.asarray(call(x)))


def test_training_goes_on_with_the_op_after_an_export():
    import jax

    model, x = model_of(), sequences()
    jax.export.export(jax.jit(lambda x: model(x, training=False)))(x)
    traced = jax.make_jaxpr(lambda x: model(x, training=False))(x)
    assert str(traced).count("addrnn_") >= 3


def test_jax_says_what_it_does_not_export_where_the_op_is_demanded():
    import jax

    model, x = model_of(implementation="fused"), sequences()
    with pytest.raises(ValueError, match="addrnn_add_gru"):
        jax.export.export(jax.jit(lambda x: model(x, training=False)))(x)


def test_saved_model(tmp_path):
    tf = pytest.importorskip("tensorflow")
    model, x = model_of(), sequences()
    model.export(tmp_path / "model", format="tf_saved_model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "model")
    assert_close(loaded.serve(x).numpy(), model.predict(x, verbose=0))
