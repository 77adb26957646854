"""`MinAddGRU` in chunks: states that are given, and states that a layer keeps."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, sequences, to_numpy
from tests.keras_addrnn.layers.test_min_add_gru import expected, lively, mask_of

pytestmark = pytest.mark.backend_neutral

# Of 6 steps: shorter than the window, longer, and empty.
CHUNKS = ((1, 2, 3, 4, 5), (2, 2))


@pytest.mark.parametrize("kernel_size, masked", ((1, True), (2, False), (4, True)))
def test_chunks_are_the_whole(kernel_size, masked):
    x, mask = sequences(), mask_of("holes") if masked else None
    layer = ka.MinAddGRU(**lively(5), kernel_size=kernel_size, return_sequences=True, stateful=True)
    layer.build(x.shape)
    whole, *states = expected(layer, x, mask=mask)
    for cuts in CHUNKS:
        outputs = []
        for start, end in zip((0, *cuts), (*cuts, 6), strict=True):
            chunk = slice(start, end)
            part = layer(x[:, chunk], mask=None if mask is None else mask[:, chunk])
            outputs.append(to_numpy(part))
        assert_close(np.concatenate(outputs, axis=1), whole)
        assert_close(layer.states, states[: len(layer.states)])
        layer.reset_state()


def test_chunks_backwards():
    # What comes last in time is processed first.
    x = sequences()
    layer = ka.MinAddGRU(**lively(5), return_sequences=True, return_state=True, go_backwards=True)
    later, *states = layer(x[:, 4:])
    earlier, *states = layer(x[:, :4], initial_state=states)
    wanted = expected(layer, x)
    assert_close(np.concatenate([to_numpy(later), to_numpy(earlier)], axis=1), wanted[0])
    assert_close(states, wanted[1:])


def test_reset_state():
    x = sequences()
    layer = ka.MinAddGRU(**lively(5), stateful=True)
    first = to_numpy(layer(x))
    assert all(np.abs(to_numpy(state)).max() > 0 for state in layer.states)
    layer.reset_state()
    assert_close(layer.states, [np.zeros((4, 5)), np.zeros((4, 2, 3))])
    assert_close(layer(x), first)
    layer.reset_states()
    assert_close(layer(x), first)
    ka.MinAddGRU(5).reset_state()  # there is none


def test_the_kept_states_are_no_weights():
    layer = ka.MinAddGRU(5, stateful=True)
    layer(sequences())
    assert [w.name for w in layer.weights] == ["kernel", "bias", "input_scale"]


def test_a_given_state_replaces_the_kept_ones():
    x, state = sequences(), np.ones((4, 5), "float32")
    layer = ka.MinAddGRU(**lively(5), stateful=True)
    layer(x)
    # Without inputs before the first step: a sequence that begins.
    assert_close(layer(x, initial_state=state), expected(layer, x, state)[1])
    assert_close(layer.states, expected(layer, x, state)[1:])


def test_predict_and_fit():
    x = sequences()
    layer = ka.MinAddGRU(**lively(5), stateful=True)
    model = keras.Sequential([keras.Input(batch_shape=(4, 6, 3)), layer])
    model.compile("sgd", "mse")
    _, state, last_inputs = expected(layer, x)
    assert_close(model.predict(x, batch_size=4, verbose=0), state)
    if keras.backend.backend() != "jax":  # where Keras' predict keeps no state, of no layer
        twice = expected(layer, x, state, None, last_inputs)[1]
        assert_close(model.predict(x, batch_size=4, verbose=0), twice)
    layer.reset_state()
    losses = model.fit(x, np.zeros((4, 5)), batch_size=4, epochs=2, verbose=0).history["loss"]
    assert np.all(np.isfinite(losses))


def test_in_half_precision():
    x = sequences()
    layer = ka.MinAddGRU(**lively(5), stateful=True, return_state=True, dtype="mixed_bfloat16")
    _, state, last_inputs = layer(x)
    for tensor in (state, last_inputs):
        assert keras.backend.standardize_dtype(tensor.dtype) == "bfloat16"
    got = [keras.ops.cast(tensor, "float32") for tensor in (state, last_inputs)]
    assert_close(got, expected(layer, x)[1:], 0.05)


def test_needs_a_known_batch_size():
    with pytest.raises(ValueError, match="batch size must be static.*None, 6, 3"):
        ka.MinAddGRU(5, stateful=True).build((None, 6, 3))


def test_another_batch_size():
    layer = ka.MinAddGRU(5, stateful=True)
    layer(sequences(batch=4))
    with pytest.raises(ValueError, match="stateful layer.* 4 sequences.*batch of 3"):
        layer(sequences(batch=3))


def test_none_stands_for_zeros_in_a_list_of_states():
    x = sequences()
    layer = ka.MinAddGRU(**lively(5), return_sequences=True)
    state = np.ones((len(x), 5), "float32")
    before = np.ones((len(x), 2, x.shape[2]), "float32")
    for given, same in (
        ([None, before], [np.zeros_like(state), before]),
        ([state, None], [state, np.zeros_like(before)]),
    ):
        assert_close(layer(x, initial_state=given), to_numpy(layer(x, initial_state=same)))
