"""The tasks that several benchmarks learn: what they draw, and the layers of their own."""

import gzip

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("the tasks are trained with TensorFlow", allow_module_level=True)
import tensorflow as tf  # noqa: E402

from benchmarks._tasks import adding, digits, state_statistics  # noqa: E402
from benchmarks._tasks.input_gated import QRNN, MinGRU  # noqa: E402
from benchmarks._tasks.linear_recurrence import linear_recurrence  # noqa: E402
from benchmarks._tasks.multiplying import MultiplyingGRUCell  # noqa: E402
from benchmarks._tasks.two_layers import TwoLayers  # noqa: E402


def test_the_multiplying_cell_against_its_equations():
    rng = np.random.default_rng(0)
    x, h = rng.normal(size=(3, 5)), rng.normal(size=(3, 2))
    cell = MultiplyingGRUCell(2, dtype="float64")
    cell.build((3, 5))
    weights = [rng.normal(size=variable.shape) for variable in cell.weights]
    cell.set_weights(weights)
    kernel, recurrent_kernel, bias = weights
    sums = x @ kernel + h @ recurrent_kernel + bias
    kept = 1 / (1 + np.exp(-sums[:, :2]))
    expected = kept * h + (1 - kept) * np.tanh(sums[:, 2:])
    state, (same,) = cell(x, [h])
    np.testing.assert_allclose(state, expected, rtol=1e-12)
    np.testing.assert_array_equal(state, same)
    assert MultiplyingGRUCell.from_config(cell.get_config()).get_config() == cell.get_config()


def test_solved_after_is_the_first_time_below():
    assert adding.solved_after([0.2, 0.0099, 0.02, 0.001]) == 2 * adding.ERROR_EVERY
    assert adding.solved_after([0.2, 0.01]) is None


@pytest.mark.parametrize(
    ("order", "shape", "place"),
    [("rows", (28, 28), (3, 7)), ("columns", (28, 28), (7, 3)), ("pixels", (784, 1), (91, 0))],
)
def test_orders(order, shape, place):
    images = np.zeros((2, 28, 28), "uint8")
    images[1, 3, 7] = 51  # in row 3, column 7
    sequences = digits.sequences(images, order)
    assert sequences.dtype == "float32"
    assert sequences.shape == (2, *shape)
    expected = np.zeros_like(sequences)
    expected[(1, *place)] = 0.2
    np.testing.assert_allclose(sequences, expected, rtol=1e-6)
    data = [images, np.zeros(2), images, np.zeros(2)]
    make = digits.LAYERS["AddGRU"]
    model, _ = digits.train(make, data, units=3, epochs=1, seed=0, order=order)
    assert model(sequences).shape == (2, 10)


def test_every_layer_learns_in_another_order():
    x_train, y_train, x_test, y_test = digits.load()
    data = [x_train[:320], y_train[:320], x_test[:40], y_test[:40]]
    for make in digits.LAYERS.values():
        _, history = digits.train(make, data, order="columns", units=8, epochs=2, seed=0)
        assert history["loss"][1] < history["loss"][0]


@pytest.mark.parametrize("compressed", [True, False])
def test_idx_files_are_read(tmp_path, compressed):
    expected = digits.load()
    for array, name in zip(expected, digits.NAMES, strict=True):
        content = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        content += array.tobytes()
        if compressed:
            (tmp_path / f"{name}-ubyte.gz").write_bytes(gzip.compress(content, 1))
        else:
            (tmp_path / f"{name}-ubyte").write_bytes(content)
    for got, array in zip(digits.load(tmp_path), expected, strict=True):
        np.testing.assert_array_equal(got, array)


def test_statistics_of_outputs():
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(500, 40, 3))
    correlation, common = state_statistics.statistics(steps, 8)
    assert abs(correlation) < 0.02 and common < 0.001
    # Each step half of the one eight before it, and half new; about 3.
    later = steps.copy()
    for step in range(8, 40):
        later[:, step] = (later[:, step - 8] + np.sqrt(3) * steps[:, step]) / 2
    correlation, common = state_statistics.statistics(later + 3, 8)
    assert correlation == pytest.approx(0.5, abs=0.02)
    assert common == pytest.approx(0.9, abs=0.01)


def test_the_stack_of_two_goes_backwards_and_keeps_to_its_mask():
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    mask = np.array([[True] * 5, [True, True, True, False, False]])
    stack = TwoLayers(4, return_sequences=True)
    there = np.asarray(stack(x, mask=mask))
    backwards = TwoLayers.from_config(stack.get_config() | {"go_backwards": True})
    backwards.build(x.shape)
    backwards.set_weights(stack.get_weights())
    back = np.asarray(backwards(x[:, ::-1], mask=mask[:, ::-1]))
    np.testing.assert_allclose(back, there, rtol=1e-6)
    np.testing.assert_array_equal(there[1, 3:], there[1, [2, 2]])
    inputs = keras.Input((None, 3))
    outputs = keras.layers.Bidirectional(TwoLayers(4))(keras.layers.Masking()(inputs))
    assert outputs.shape == (None, 8)
    assert keras.Model(inputs, outputs).predict(x, verbose=0).shape == (2, 8)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def min_gru(u, z, state):
    state = (1 - sigmoid(u)) * state + sigmoid(u) * z
    return state, state


def qrnn(f, z, o, state):
    state = sigmoid(f) * state + (1 - sigmoid(f)) * np.tanh(z)
    return state, sigmoid(o) * state


@pytest.mark.parametrize("kernel_size", [1, 3])
@pytest.mark.parametrize(("kind", "step"), [(MinGRU, min_gru), (QRNN, qrnn)])
def test_peers_against_a_plain_loop(kind, step, kernel_size):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 7, 3))
    mask = np.array([[True] * 7, [True, False, True, True, False, True, False]])
    layer = kind(4, kernel_size, return_sequences=True, dtype="float64")
    layer.build(x.shape)
    kernel, bias = (rng.normal(size=variable.shape) for variable in layer.weights)
    layer.set_weights([kernel, bias])
    padded = np.pad(np.where(mask[..., None], x, 0), ((0, 0), (kernel_size - 1, 0), (0, 0)))
    state, shown, expected = np.zeros((2, 4)), np.zeros((2, 4)), []
    for t in range(7):
        sums = np.tensordot(padded[:, t : t + kernel_size], kernel, axes=2) + bias
        both = step(*np.split(sums, layer.columns, axis=-1), state)
        # A masked step changes nothing.
        old = state, shown
        state, shown = (np.where(mask[:, t, None], *pair) for pair in zip(both, old, strict=True))
        expected.append(shown)
    np.testing.assert_allclose(layer(x, mask=mask), np.stack(expected, 1), rtol=1e-12)


def test_the_peers_recurrence_against_tensorflows_gradients():
    rng = np.random.default_rng(0)
    kept, written, d = (tf.constant(rng.normal(size=(3, 5, 2))) for _ in range(3))
    state, states = tf.zeros((3, 2), "float64"), []
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([kept, written])
        for t in range(5):
            state = kept[:, t] * state + written[:, t]
            states.append(state)
        expected = tf.stack(states, 1)
        found = tf.function(linear_recurrence)(kept, written)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    found = tape.gradient(found, [kept, written], d)
    for one, other in zip(found, tape.gradient(expected, [kept, written], d), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
