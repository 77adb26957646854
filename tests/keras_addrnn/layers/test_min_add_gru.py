"""`MinAddGRU`: outputs, masks, shapes, dropout, scale of the inputs, training and wrappers."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests import min_reference
from tests.keras_addrnn.layers.common import assert_close, sequences, to_numpy
from tests.support import ACTIVATIONS, make_mask

pytestmark = pytest.mark.backend_neutral


def lively(units, seed=0, **settings):
    """Settings under which bias and both branches of the gate matter."""
    normal = keras.initializers.RandomNormal
    return {
        "units": units,
        "kernel_initializer": normal(stddev=0.6, seed=seed),
        "bias_initializer": normal(stddev=0.5, seed=seed + 1),
        **settings,
    }


def expected(layer, inputs, initial_state=None, mask=None, initial_inputs=None):
    """The reference's `[outputs, state, last_inputs]` with a layer's weights and settings."""
    result = min_reference.min_add_gru(
        inputs,
        to_numpy(layer.scaled_kernel()),
        None if layer.bias is None else to_numpy(layer.bias),
        initial_state,
        mask,
        initial_inputs,
        activation=keras.activations.serialize(layer.activation),
        go_backwards=layer.go_backwards,
    )
    return [result[name] for name in ("outputs", "state", "last_inputs")]


def mask_of(kind, batch=4, steps=6):
    return make_mask(kind, batch, steps, np.random.default_rng(2))


@pytest.mark.parametrize("kernel_size", (1, 2, 3, 8))
@pytest.mark.parametrize("go_backwards", (False, True))
def test_outputs_and_states(go_backwards, kernel_size):
    x = sequences()
    settings = {"go_backwards": go_backwards, "kernel_size": kernel_size}
    layer = ka.MinAddGRU(**lively(5), **settings, return_sequences=True, return_state=True)
    outputs, *states = layer(x)
    wanted = expected(layer, x)
    assert_close(outputs, wanted[0])
    assert_close(states, wanted[1:] if kernel_size > 1 else wanted[1:2])
    last = ka.MinAddGRU(**lively(5), **settings)
    assert_close(last(x), wanted[1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("use_bias", (False, True))
def test_settings(use_bias, activation):
    x = sequences()
    layer = ka.MinAddGRU(**lively(5), use_bias=use_bias, activation=activation)
    assert_close(layer(x), expected(layer, x)[1])
    assert (layer.bias is not None) == use_bias


def test_defaults():
    layer = ka.MinAddGRU(5)
    layer(sequences())
    assert layer.kernel_size == 3 and tuple(layer.kernel.shape) == (3, 3, 10)
    assert ka.layers.MinAddGRU is ka.MinAddGRU
    assert [w.name for w in layer.weights] == ["kernel", "bias", "input_scale"]
    assert ka.MinAddGRU(5, scale_inputs=False, use_bias=False).get_config()["units"] == 5


@pytest.mark.parametrize("go_backwards", (False, True))
@pytest.mark.parametrize("kind", ("left", "right", "holes", "empty_row", "all_false"))
def test_mask(kind, go_backwards):
    x, mask = sequences(), mask_of(kind)
    state = np.full((4, 5), 0.5, "float32")
    settings = {"return_sequences": True, "return_state": True, "go_backwards": go_backwards}
    layer = ka.MinAddGRU(**lively(5), **settings)
    assert_close(layer(x, mask=mask, initial_state=state), expected(layer, x, state, mask))


@pytest.mark.parametrize("go_backwards", (False, True))
@pytest.mark.parametrize("kind", ("left", "holes"))
def test_zero_output_for_mask(kind, go_backwards):
    x, mask = sequences(), mask_of(kind)
    settings = lively(5, go_backwards=go_backwards, zero_output_for_mask=True, return_state=True)
    layer = ka.MinAddGRU(**settings, return_sequences=True)
    outputs, *states = expected_after(layer, x, mask)
    outputs = outputs * (mask[:, ::-1] if go_backwards else mask)[..., None]
    assert_close(layer(x, mask=mask), [outputs, *states])
    assert_close(ka.MinAddGRU(**settings)(x, mask=mask), [outputs[:, -1], *states])


def test_masking_and_embedding():
    x = sequences()
    x[0, :2] = x[1, 4:] = x[2, 2] = x[3] = 0.0
    layer = ka.MinAddGRU(**lively(5), return_sequences=True)
    model = keras.Sequential([keras.Input((None, 3)), keras.layers.Masking(), layer])
    mask = np.any(x != 0, axis=-1)
    assert_close(model.predict(x, verbose=0), expected(layer, x, mask=mask)[0])

    ids = np.array([[1, 2, 3, 0], [0, 0, 4, 1], [2, 0, 3, 0], [0, 0, 0, 0]])
    embedding = keras.layers.Embedding(5, 3, mask_zero=True, embeddings_initializer="normal")
    layer = ka.MinAddGRU(**lively(5))
    model = keras.Sequential([keras.Input((None,), dtype="int32"), embedding, layer])
    wanted = expected(layer, to_numpy(embedding(ids)), mask=ids != 0)[1]
    assert_close(model.predict(ids, verbose=0), wanted)


def test_mask_is_passed_on_with_the_sequence():
    masked = keras.layers.Masking()(keras.Input((6, 3)))
    mask = masked._keras_mask
    assert ka.MinAddGRU(4, return_sequences=True).compute_mask(masked, mask) is mask
    assert ka.MinAddGRU(4).compute_mask(masked, mask) is None
    with_states = ka.MinAddGRU(4, return_sequences=True, return_state=True)
    assert with_states.compute_mask(masked, mask) == [mask, None, None]
    with_state = ka.MinAddGRU(4, kernel_size=1, return_state=True)
    assert with_state.compute_mask(masked, mask) == [None, None]
    # The next layer finds it.
    assert ka.MinAddGRU(4, return_sequences=True)(masked)._keras_mask is mask


@pytest.mark.parametrize("dtype", ("int32", "float32"))
def test_dtype_of_the_mask(dtype):
    x, mask = sequences(), mask_of("holes")
    layer = ka.MinAddGRU(**lively(5), return_state=True)
    got = layer(x, mask=mask.astype(dtype))
    _, state, last_inputs = expected(layer, x, mask=mask)
    assert_close(got, [state, state, last_inputs])


@pytest.mark.parametrize("batch, steps", ((None, None), (None, 6), (4, None), (4, 6)))
@pytest.mark.parametrize("settings", ({}, {"return_sequences": True}, {"kernel_size": 1}))
@pytest.mark.parametrize("return_state", (False, True))
def test_shapes_without_running(return_state, settings, batch, steps):
    layer = ka.MinAddGRU(5, **settings, return_state=return_state)
    output = (batch, steps, 5) if layer.return_sequences else (batch, 5)
    states = [(batch, 5), (batch, 2, 3)][: 1 if layer.kernel_size == 1 else 2]
    wanted = (output, *states) if return_state else output
    assert layer.compute_output_shape((batch, steps, 3)) == wanted
    symbolic = layer(keras.Input(batch_shape=(batch, steps, 3)))
    assert wanted == (tuple(t.shape for t in symbolic) if return_state else symbolic.shape)


def test_unknown_batch_and_time():
    layer = ka.MinAddGRU(**lively(5), return_sequences=True)
    model = keras.Sequential([keras.Input((None, 3)), layer])
    for batch, steps in ((4, 6), (1, 6), (4, 1), (3, 9)):
        x = sequences(batch, steps)
        assert_close(model.predict(x, verbose=0), expected(layer, x)[0])


@pytest.mark.parametrize("masked", (False, True))
@pytest.mark.parametrize("batch, steps", ((0, 6), (4, 0), (0, 0)))
def test_no_steps_and_no_sequences(batch, steps, masked):
    x = np.zeros((batch, steps, 3), "float32")
    mask = np.ones((batch, steps), bool) if masked else None
    states = [np.ones((batch, 5), "float32"), np.ones((batch, 2, 3), "float32")]
    settings = {"return_sequences": True, "return_state": True, "zero_output_for_mask": True}
    layer = ka.MinAddGRU(**lively(5), **settings, dropout=0.2, go_backwards=True)
    outputs, *last = layer(x, initial_state=states, mask=mask, training=True)
    assert tuple(outputs.shape) == (batch, steps, 5)
    if steps == 0:
        assert_close(last, states)
    assert tuple(last[0].shape) == (batch, 5) and tuple(last[1].shape) == (batch, 2, 3)


def test_dropout_drops_the_same_inputs_at_every_step():
    # u = 0 keeps, c = x_t - x_{t-1}, the window's: of equal inputs only the first is new.
    features, rate = 50, 0.4
    layer = ka.MinAddGRU(
        features, 2, dropout=rate, seed=1, scale_inputs=False, return_state=True, use_bias=False
    )
    layer.build((3, 4, features))
    zeros, eye = np.zeros((features, features)), np.eye(features)
    layer.set_weights([np.stack([np.hstack([zeros, -eye]), np.hstack([zeros, eye])])])
    x = np.ones((3, 4, features), "float32")
    outputs, _, last_inputs = layer(x, training=True)
    kept = to_numpy(outputs)
    assert set(np.round(np.unique(kept), 5)) == {0.0, np.round(np.float32(1 / (1 - rate)), 5)}
    assert 0.4 < (kept > 0).mean() < 0.8 and np.any(kept[0] != kept[1])
    # The window of the next chunk has the inputs as they were, and drops them as its own.
    np.testing.assert_array_equal(to_numpy(last_inputs), x[:, :1])
    ones = [np.zeros((3, features), "float32"), x[:, :1]]
    np.testing.assert_array_equal(to_numpy(layer(x, initial_state=ones, training=True)[0]), 0)
    assert_close(layer(x)[0], np.ones((3, features)))


def test_scale_of_the_inputs():
    x, mask = sequences(), mask_of("holes")
    x = np.where(mask[..., None], 20 * x, np.float32(0.1))
    layer = ka.MinAddGRU(**lively(5), return_state=True)

    def assert_as_expected():
        _, state, last_inputs = expected(layer, x, mask=mask)
        assert_close(layer(x, mask=mask), [state, state, last_inputs], 1e-4)

    layer.build(x.shape)
    assert_as_expected()
    assert to_numpy(layer.input_scale) == -1
    layer(x, mask=mask, training=True)
    wanted = 1 / np.sqrt((x[mask] ** 2).mean())
    assert_close(layer.input_scale, wanted, 1e-4)
    assert_close(layer.scaled_kernel(), wanted * to_numpy(layer.kernel), 1e-4)
    # The window is that of the inputs as they were, which the kernel scales.
    assert_as_expected()
    layer(100 * x, mask=mask, training=True)
    assert_close(layer.input_scale, wanted, 1e-4)


def test_small_inputs_stay_as_they_are():
    layer = ka.MinAddGRU(5)
    layer(0.05 * sequences(), training=True)
    assert to_numpy(layer.input_scale) == 1


def test_no_scale():
    layer = ka.MinAddGRU(5, scale_inputs=False)
    layer(sequences(), training=True)
    assert layer.input_scale is None and len(layer.weights) == 2


@pytest.mark.parametrize(
    "policy, jit_compile",
    [(name, "auto") for name in ("float32", "mixed_float16", "mixed_bfloat16")]
    + [("float32", True)],
)
def test_training(policy, jit_compile, dtype_policy):
    if jit_compile is True and keras.backend.backend() != "tensorflow":
        pytest.skip("JAX compiles by itself, and torch.compile takes a minute.")
    dtype_policy(policy)
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            keras.layers.Masking(),
            ka.MinAddGRU(8, return_sequences=True, dropout=0.1),
            keras.layers.LayerNormalization(),
            ka.MinAddGRU(8, kernel_regularizer="l2", kernel_constraint="max_norm"),
            keras.layers.Dense(1, dtype="float32"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.03), "mse", jit_compile=jit_compile)
    x = sequences(32)
    y = x.max(axis=(1, 2), keepdims=True)[:, 0]
    losses = model.fit(x, y, batch_size=16, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < 0.6 * losses[0]
    outputs = model.layers[1](x)
    assert keras.backend.standardize_dtype(outputs.dtype) == model.layers[1].compute_dtype


@pytest.mark.parametrize("return_sequences", (False, True))
@pytest.mark.parametrize("mask_kind", ("none", "right"))
def test_bidirectional(mask_kind, return_sequences):
    x, mask = sequences(), None if mask_kind == "none" else mask_of("right")
    both = keras.layers.Bidirectional(
        ka.MinAddGRU(**lively(5), return_sequences=return_sequences, return_state=True)
    )
    outputs, *states = both(x, mask=mask)
    ahead, back = (expected(one, x, mask=mask) for one in (both.forward_layer, both.backward_layer))
    wanted = [ahead[1], back[1]]
    if return_sequences:
        wanted = [ahead[0], back[0][:, ::-1]]
        if mask is not None:  # Keras sets zero_output_for_mask on both layers
            wanted = [one * mask[..., None] for one in wanted]
    assert_close(outputs, np.concatenate(wanted, axis=-1))
    assert_close(states, [*ahead[1:], *back[1:]])
    again = both(x, mask=mask, initial_state=states)
    state, last_inputs = ahead[1:]
    wanted = expected(both.forward_layer, x, state, mask, last_inputs)[1:]
    assert_close(again[1:3], wanted)


def test_time_distributed():
    x = np.stack([sequences(seed=seed) for seed in range(3)], axis=1)  # [B, 3, T, D]
    layer = ka.MinAddGRU(**lively(5))
    got = to_numpy(keras.layers.TimeDistributed(layer)(x))
    for i in range(3):
        assert_close(got[:, i], expected(layer, x[:, i])[1])


def test_encoder_decoder():
    x = sequences()
    encoder = ka.MinAddGRU(**lively(5), return_state=True)
    decoder = ka.MinAddGRU(**lively(5, seed=9), return_sequences=True)
    inputs = keras.Input((None, 3))
    _, *states = encoder(inputs)
    both = keras.Model(inputs, decoder(inputs, initial_state=states))
    alone = keras.Model(inputs, decoder(inputs, initial_state=states[0]))
    _, state, last_inputs = expected(encoder, x)
    assert_close(both.predict(x, verbose=0), expected(decoder, x, state, None, last_inputs)[0])
    assert_close(alone.predict(x, verbose=0), expected(decoder, x, state)[0])


def test_info():
    (found,) = ka.info(ka.MinAddGRU(4, name="mine"))
    runs = "fused" if ka.info()["fused"] else "composed"
    assert found["class"] == "MinAddGRU" and found["inference"] == found["training"] == runs
    assert (found["why"] is None) == ka.info()["fused"]
    (found,) = ka.info(ka.MinAddGRU(4, implementation="composed"))
    assert "told to be composed" in found["why"]
    x = keras.Input((6, 3))
    model = keras.Model(x, ka.ops.min_add_gru(x, np.zeros((2, 3, 8), "float32"))[0])
    (found,) = ka.info(model)
    assert found["class"] == "MinAddGruSequence"


def expected_after(layer, x, mask):
    layer.build(x.shape)
    return expected(layer, x, mask=mask)
