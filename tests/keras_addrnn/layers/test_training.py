"""`compile` and `fit`: eager, in graphs, compiled, clipped, from datasets."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import sequences
from tests.support import IMPLEMENTATIONS


def task(rows=64, steps=8):
    """Sequences, and the sum of one of their features: what the recurrence is made for."""
    x = np.abs(sequences(rows, steps, 2))
    return x, x[:, :, 0].sum(axis=1, keepdims=True) / steps


def model_of(layer, **compile_arguments):
    model = keras.Sequential([keras.Input((None, 2)), layer, keras.layers.Dense(1)])
    model.compile(**{"optimizer": keras.optimizers.Adam(0.02), "loss": "mse", **compile_arguments})
    return model


def assert_learns(model, data=None, epochs=12, **fit_arguments):
    history = model.fit(*(data or task()), epochs=epochs, verbose=0, **fit_arguments)
    history = history.history["loss"]
    assert history[-1] < 0.5 * history[0], history


def layer_of(**settings):
    keras.utils.set_random_seed(1)
    return ka.AddGRU(8, **settings)


@pytest.mark.backend_neutral
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_fit(implementation):
    assert_learns(model_of(layer_of(implementation=implementation)))


@pytest.mark.backend_neutral
def test_fit_a_cell():
    keras.utils.set_random_seed(1)
    assert_learns(model_of(keras.layers.RNN(ka.AddGRUCell(8))))


@pytest.mark.backend_neutral
@pytest.mark.parametrize("settings", ({"unroll": True}, {"dropout": 0.1, "recurrent_dropout": 0.1}))
def test_fit_composed(settings):
    model = keras.Sequential([keras.Input((8, 2)), layer_of(**settings), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.02), "mse")
    assert_learns(model)


def test_run_eagerly():
    assert_learns(model_of(layer_of(), run_eagerly=True), epochs=6)


@pytest.mark.parametrize("steps", (8, None))
def test_jit_compile(steps):
    keras.utils.set_random_seed(1)
    layer = layer_of(dropout=0.1)
    model = keras.Sequential([keras.Input((steps, 2)), layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.02), "mse", jit_compile=True)
    assert model.jit_compile
    assert_learns(model)


@pytest.mark.fused
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="for TensorFlow")
def test_jit_compile_is_off_where_xla_cannot_call_what_is_demanded(monkeypatch):
    from addrnn.tensorflow import _xla

    monkeypatch.setattr(_xla, "problem", lambda: "XLA cannot call it.")
    for layer in (
        ka.AddGRU(4, implementation="fused"),
        keras.layers.RNN(ka.AddGRUCell(4, implementation="fused")),
    ):
        model = model_of(layer)
        with pytest.warns(UserWarning, match="doesn't support `jit_compile=True`"):
            model.jit_compile = True
        assert not model.jit_compile


@pytest.mark.fused
@pytest.mark.backend_neutral
@pytest.mark.skipif(keras.backend.backend() == "torch", reason="XLA compiles no PyTorch")
def test_jit_compile_stays_on_where_the_op_can_be_compiled():
    for layer in (
        ka.AddGRU(4, implementation="fused"),
        ka.MinAddGRU(4, implementation="fused"),
        keras.layers.RNN(ka.AddGRUCell(4, implementation="fused")),
    ):
        model = model_of(layer)
        model.jit_compile = True
        assert model.jit_compile
        assert_learns(model)


@pytest.mark.backend_neutral
@pytest.mark.parametrize(
    "clipping", ({"clipnorm": 0.5}, {"clipvalue": 0.1}, {"global_clipnorm": 1.0})
)
def test_gradient_clipping(clipping):
    assert_learns(model_of(layer_of(), optimizer=keras.optimizers.Adam(0.02, **clipping)))


def test_tf_data():
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices(task()).batch(16).prefetch(1)
    assert_learns(model_of(layer_of()), data=(data,), shuffle=False)


def test_tf_data_of_ragged_lengths():
    import tensorflow as tf

    x, y = task()
    lengths = np.random.default_rng(0).integers(1, 9, size=len(x))
    rows = tf.data.Dataset.from_generator(
        lambda: ((row[:n], target) for row, n, target in zip(x, lengths, y, strict=True)),
        output_signature=(tf.TensorSpec((None, 2)), tf.TensorSpec((1,))),
    )
    data = rows.padded_batch(16).apply(tf.data.experimental.assert_cardinality(4))
    model = keras.Sequential(
        [keras.Input((None, 2)), keras.layers.Masking(), layer_of(), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.02), "mse")
    model.fit(data, epochs=2, shuffle=False, verbose=0)
    assert np.isfinite(model.evaluate(data, verbose=0))


@pytest.mark.backend_neutral
def test_train_on_batch_and_evaluate():
    x, y = task()
    model = model_of(layer_of())
    before = model.evaluate(x, y, verbose=0)
    for _ in range(30):
        model.train_on_batch(x, y)
    assert model.evaluate(x, y, verbose=0) < before


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_second_order_gradients(implementation):
    import tensorflow as tf

    x = tf.constant(sequences(2, 3))
    layer = ka.AddGRU(4, activation="tanh", implementation=implementation)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            loss = tf.reduce_sum(layer(x, training=True) ** 2)
        first = inner.gradient(loss, x)
    if implementation == "composed":
        assert outer.gradient(first, x).shape == x.shape
    else:
        with pytest.raises(Exception, match="composed"):
            outer.gradient(first, x)
