"""Shapes: unknown, zero, computed without running, and symbolic."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.keras_addrnn.layers.common import assert_close, expected, lively, sequences, to_numpy
from tests.support import IMPLEMENTATIONS

pytestmark = pytest.mark.backend_neutral


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_unknown_batch_and_time(implementation):
    layer = ka.AddGRU(**lively(5), return_sequences=True, implementation=implementation)
    model = keras.Sequential([keras.Input((None, 3)), layer])
    for batch, steps in ((4, 6), (1, 6), (4, 1), (3, 9)):
        x = sequences(batch, steps)
        assert_close(model.predict(x, verbose=0), expected(layer, x)[0])


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("masked", (False, True))
@pytest.mark.parametrize("batch, steps", ((0, 6), (4, 0), (0, 0)))
def test_zero_length(batch, steps, masked, implementation):
    x = np.zeros((batch, steps, 3), "float32")
    mask = np.ones((batch, steps), bool) if masked else None
    state = np.ones((batch, 5), "float32")
    layer = ka.AddGRU(
        **lively(5),
        return_sequences=True,
        return_state=True,
        go_backwards=True,
        zero_output_for_mask=True,
        implementation=implementation,
    )
    outputs, last = layer(x, initial_state=state, mask=mask)
    assert tuple(outputs.shape) == (batch, steps, 5)
    assert_close(last, state)
    only_last = ka.AddGRU(5, zero_output_for_mask=True, implementation=implementation)
    assert_close(only_last(x, initial_state=state, mask=mask), state)


@pytest.mark.parametrize("batch, steps", ((0, 6), (4, 0)))
def test_zero_length_in_training(batch, steps):
    layer = ka.AddGRU(5, dropout=0.2, recurrent_dropout=0.2)
    assert tuple(layer(np.zeros((batch, steps, 3)), training=True).shape) == (batch, 5)


@pytest.mark.parametrize("batch, steps", ((None, None), (None, 6), (4, None), (4, 6)))
@pytest.mark.parametrize("return_state", (False, True))
@pytest.mark.parametrize("return_sequences", (False, True))
def test_compute_output_shape(return_sequences, return_state, batch, steps):
    layer = ka.AddGRU(5, return_sequences=return_sequences, return_state=return_state)
    output = (batch, steps, 5) if return_sequences else (batch, 5)
    wanted = (output, (batch, 5)) if return_state else output
    assert layer.compute_output_shape((batch, steps, 3)) == wanted
    symbolic = layer(keras.Input(batch_shape=(batch, steps, 3)))
    shapes = tuple(t.shape for t in symbolic) if return_state else symbolic.shape
    assert shapes == wanted


def test_symbolic_build():
    layer = ka.AddGRU(5)
    assert layer(keras.Input((None, 3))).dtype == "float32"
    assert layer.built and layer.cell.built
    assert [tuple(w.shape) for w in layer.weights] == [(3, 10), (5, 10), (10,), ()]


def test_symbolic_call_of_the_cell():
    cell = ka.AddGRUCell(**lively(5))
    inputs, state = keras.Input((3,)), keras.Input((5,))
    output, (new_state,) = cell(inputs, [state])
    assert output.shape == new_state.shape == (None, 5)
    x, h = sequences(steps=1)[:, 0], np.ones((4, 5), "float32")
    model = keras.Model([inputs, state], [output, new_state])
    assert_close(model.predict([x, h], verbose=0)[0], to_numpy(cell(x, h)[0]))


def test_the_last_dimension_must_be_known():
    with pytest.raises(ValueError, match="last dimension of `inputs`"):
        ka.AddGRU(5).build((4, 6, None))


def test_unrolling_needs_known_steps():
    x = keras.Input((None, 3))
    model = keras.Model(x, ka.AddGRU(5, unroll=True)(x))
    assert model.predict(sequences(), verbose=0).shape == (4, 5)
