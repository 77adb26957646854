"""`AddGRU` inside Keras' wrappers."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, expected, lively, sequences, to_numpy

pytestmark = pytest.mark.backend_neutral


@pytest.mark.parametrize("mask_kind", ("none", "padded"))
@pytest.mark.parametrize("return_sequences", (False, True))
def test_bidirectional(return_sequences, mask_kind):
    x = sequences()
    mask = None if mask_kind == "none" else np.arange(6) < np.array([[6], [4], [1], [0]])
    both = keras.layers.Bidirectional(ka.AddGRU(**lively(5), return_sequences=return_sequences))
    got = both(x, mask=mask)
    ahead, ahead_last = expected(both.forward_layer, x, mask=mask)
    back, back_last = expected(both.backward_layer, x, mask=mask)
    wanted = [ahead, back[:, ::-1]] if return_sequences else [ahead_last, back_last]
    wanted = np.concatenate(wanted, axis=-1)
    if return_sequences and mask is not None:
        wanted = wanted * mask[..., None]  # Keras sets zero_output_for_mask on both layers
    assert_close(got, wanted)
    assert both.backward_layer.go_backwards and not both.forward_layer.go_backwards


def test_bidirectional_with_states():
    x = sequences()
    both = keras.layers.Bidirectional(ka.AddGRU(**lively(5), return_state=True))
    states = [np.full((4, 5), value, "float32") for value in (0.2, 0.8)]
    outputs, ahead, back = both(x, initial_state=states)
    wanted = [
        expected(both.forward_layer, x, states[0])[1],
        expected(both.backward_layer, x, states[1])[1],
    ]
    assert_close([ahead, back], wanted)
    assert_close(outputs, np.concatenate(wanted, axis=-1))


def test_time_distributed():
    x = np.stack([sequences(seed=seed) for seed in range(3)], axis=1)  # [B, 3, T, D]
    layer = ka.AddGRU(**lively(5))
    got = to_numpy(keras.layers.TimeDistributed(layer)(x))
    for i in range(3):
        assert_close(got[:, i], expected(layer, x[:, i])[1])


def test_encoder_decoder():
    # The states of one layer start the other.
    x = sequences()
    encoder = ka.AddGRU(**lively(5), return_state=True)
    decoder = ka.AddGRU(**lively(5, seed=9), return_sequences=True)
    inputs = keras.Input((None, 3))
    _, state = encoder(inputs)
    model = keras.Model(inputs, decoder(inputs, initial_state=[state]))
    wanted = expected(decoder, x, expected(encoder, x)[1])[0]
    assert_close(model.predict(x, verbose=0), wanted)
