"""Networks that are trained for encryption: what is trained is what the integers compute."""

import os

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("once is enough", allow_module_level=True)
jax = pytest.importorskip("jax")
pytest.importorskip("sklearn")

before = dict(os.environ)
from benchmarks.encrypted_accuracy import digits, gates, plan, training, vowels  # noqa: E402
from benchmarks.encrypted_accuracy.networks import answers, parts_of  # noqa: E402

os.environ.clear()  # the variables are for a process that trains and does nothing else
os.environ.update(before)


def network(gate, features=16, units=5, bits=6):
    return training.Network(gate, features, units, bits, digits.INPUTS, digits.LEVELS, 10)


@pytest.mark.parametrize("gate", gates.GATES)
def test_the_integers_are_those_that_were_trained(gate):
    made = network(gate)
    parameters, mask = made.start(jax.random.key(0))
    # Far from where they begin, so that gates open, close, and states reach their bound.
    rng = np.random.default_rng(1)
    parameters = {
        name: 2 * each + rng.normal(0, 0.7, each.shape) for name, each in parameters.items()
    }
    inputs = rng.integers(-1, 2, (64, 4, 16))
    model = made.integers(parameters, mask)
    scores, _ = made.scores(parameters, mask, inputs.astype(np.float32))
    step = float(made.dense(parameters)[2]) * 2 / made.state_max
    expected = model.run(inputs) if "Add" in gate else answers(model, inputs, parts_of(gate))
    np.testing.assert_array_equal(np.rint(np.asarray(scores) / step), expected)
    assert np.ptp(expected) > 20
    layer = model.layers[0]
    if made.reads_state:
        assert ((layer.recurrent_kernel != 0).sum(0) <= training.STATES_READ).all()
    kernel = np.abs(layer.kernel.reshape(16, -1).astype(int)).sum(0) * (digits.LEVELS - 1)
    assert kernel.max() <= 60  # of 6 bits


def test_sums_are_narrow_and_the_penalty_tells_how_far_they_were():
    weights = np.array([[3.0, 0.5], [-2.0, 0.25], [1.0, 0.0]], np.float32)
    spans = np.array([2.0, 2.0, 2.0], np.float32)
    bias = np.array([0.3, -0.3], np.float32)
    found, rounded, shift, excess = map(
        np.asarray, training.quantized(weights, bias, spans, 6, np.arange(5))
    )
    steps = 2.0**-shift
    assert (np.abs(found / steps).sum(0) * 2 <= 6).all()
    np.testing.assert_array_equal(found[:, 1], weights[:, 1])  # 2, 1 and 0 quarters: it fits
    assert shift.tolist() == [0, 2] and excess == pytest.approx(12 / 6 - 1)
    np.testing.assert_array_equal(rounded, [0, -0.25])


def test_a_padded_step_keeps_the_state():
    made = network("MinAddGRU", features=3)
    parameters, mask = made.start(jax.random.key(0))
    weights, bias, _, _ = made.weights(parameters, mask)
    rng = np.random.default_rng(0)
    inputs = rng.integers(-1, 2, (8, 4, 3)).astype(np.float32)
    padded = np.concatenate([inputs, np.full((8, 2, 3), vowels.PADDING, np.float32)], 1)
    states = (made.states(each, weights, bias) for each in (inputs, padded))
    np.testing.assert_array_equal(*states)


@pytest.mark.slow
@pytest.mark.parametrize("gate", gates.GATES)
def test_a_network_learns(gate):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 512)
    inputs = rng.integers(-1, 2, (512, 3, 4))
    inputs[:, 0, :2] = 2 * labels[:, None] - 1  # to be remembered over two steps
    made = network(gate, features=4, units=6)
    (model,) = training.train(made, inputs, labels, (0,), epochs=30, batch=32, rate=4e-3)
    scores = model.run(inputs) if "Add" in gate else answers(model, inputs, parts_of(gate))
    assert (scores.argmax(1) == labels).mean() > 0.9


def test_digits_are_read_in_columns():
    images = np.zeros((1, 8, 8))
    images[0, :, 0] = 1.0  # the first column
    images[0, 3, 1] = 0.5
    steps = digits.steps(images, 2)
    assert steps.shape == (1, 2, 32)
    assert (steps[0, 0, :8] == 1).all() and steps[0, 0, 11] == 0
    assert (np.delete(steps.ravel(), [*range(8), 11]) == -1).all()


def test_each_network_has_a_file_of_its_own():
    paths = [path for settings in plan.networks() for path in plan.paths_of(settings)]
    assert len(set(paths)) == len(paths) > 30
