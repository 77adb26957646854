"""Masks: a masked step leaves the state as it is and puts it out, or zero if asked to."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, expected, lively, sequences, to_numpy
from tests.support import IMPLEMENTATIONS, MASKS, make_mask

pytestmark = pytest.mark.backend_neutral

KINDS = [kind for kind in MASKS if kind != "none"]


def mask_of(kind, batch=4, steps=6):
    return make_mask(kind, batch, steps, np.random.default_rng(2))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("go_backwards", (False, True))
@pytest.mark.parametrize("kind", KINDS)
def test_mask(kind, go_backwards, implementation):
    x, mask = sequences(), mask_of(kind)
    state = np.full((4, 5), 0.5, "float32")
    layer = ka.AddGRU(
        **lively(5),
        return_sequences=True,
        return_state=True,
        go_backwards=go_backwards,
        implementation=implementation,
    )
    got = layer(x, mask=mask, initial_state=state)
    assert_close(got, expected(layer, x, state, mask))


@pytest.mark.parametrize("kind", ("left", "holes"))
def test_unrolled(kind):
    x, mask = sequences(), mask_of(kind)
    layer = ka.AddGRU(**lively(5), return_sequences=True, unroll=True)
    assert_close(layer(x, mask=mask), expected(layer, x, mask=mask)[0])


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("go_backwards", (False, True))
@pytest.mark.parametrize("kind", ("left", "holes", "empty_row"))
def test_zero_output_for_mask(kind, go_backwards, implementation):
    x, mask = sequences(), mask_of(kind)
    settings = {**lively(5), "go_backwards": go_backwards, "implementation": implementation}
    settings |= {"zero_output_for_mask": True, "return_state": True}
    layer = ka.AddGRU(**settings, return_sequences=True)
    last = ka.AddGRU(**settings)
    got = layer(x, mask=mask)
    outputs, state = expected(layer, x, mask=mask)
    processed = mask[:, ::-1] if go_backwards else mask
    outputs = outputs * processed[..., None]
    assert_close(got, [outputs, state])
    assert_close(last(x, mask=mask), [outputs[:, -1], state])


@pytest.mark.parametrize("zero_output_for_mask", (False, True))
@pytest.mark.parametrize("go_backwards", (False, True))
@pytest.mark.parametrize("kind", ("left", "holes"))
def test_as_keras_rnn_of_the_cell(kind, go_backwards, zero_output_for_mask):
    # From a zero state both mean the same; from another one Keras puts out zeros before the first
    # step that is not masked.
    x, mask = sequences(), mask_of(kind)
    settings = {
        "return_sequences": True,
        "return_state": True,
        "go_backwards": go_backwards,
        "zero_output_for_mask": zero_output_for_mask,
    }
    layer = ka.AddGRU(**lively(5), **settings)
    rnn = keras.layers.RNN(ka.AddGRUCell(**lively(5)), **settings)
    assert_close(layer(x, mask=mask), [to_numpy(t) for t in rnn(x, mask=mask)])


def test_masking_layer():
    x = sequences()
    x[0, :2] = x[1, 4:] = x[2, 2] = x[3] = 0.0
    layer = ka.AddGRU(**lively(5), return_sequences=True)
    model = keras.Sequential([keras.Input((None, 3)), keras.layers.Masking(), layer])
    mask = np.any(x != 0, axis=-1)
    assert_close(model.predict(x, verbose=0), expected(layer, x, mask=mask)[0])


def test_embedding_with_mask_zero():
    ids = np.array([[1, 2, 3, 0], [0, 0, 4, 1], [2, 0, 3, 0], [0, 0, 0, 0]])
    embedding = keras.layers.Embedding(5, 3, mask_zero=True, embeddings_initializer="normal")
    layer = ka.AddGRU(**lively(5))
    model = keras.Sequential([keras.Input((None,), dtype="int32"), embedding, layer])
    x = to_numpy(embedding(ids))
    assert_close(model.predict(ids, verbose=0), expected(layer, x, mask=ids != 0)[1])


def test_mask_is_passed_on_with_the_sequence():
    x = keras.Input((6, 3))
    masked = keras.layers.Masking()(x)
    sequence = ka.AddGRU(4, return_sequences=True)
    assert sequence.compute_mask(masked, masked._keras_mask) is masked._keras_mask
    assert ka.AddGRU(4).compute_mask(masked, masked._keras_mask) is None
    with_state = ka.AddGRU(4, return_sequences=True, return_state=True)
    assert with_state.compute_mask(masked, masked._keras_mask) == [masked._keras_mask, None]
    assert sequence.supports_masking


@pytest.mark.parametrize("dtype", ("bool", "int32", "float32"))
def test_dtype_of_the_mask(dtype):
    x, mask = sequences(), mask_of("holes")
    layer = ka.AddGRU(**lively(5))
    assert_close(layer(x, mask=mask.astype(dtype)), expected(layer, x, mask=mask)[1])


def test_values_under_the_mask_do_not_matter():
    x, mask = sequences(), mask_of("holes")
    layer = ka.AddGRU(**lively(5))
    hidden = np.where(mask[..., None], x, np.float32(1e9))
    assert_close(layer(hidden, mask=mask), to_numpy(layer(x, mask=mask)))
