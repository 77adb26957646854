"""The network that is trained for encryption: its data, and its narrow sums."""

import pathlib
import sys

import keras
import numpy as np
import pytest

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "encrypted_digits"

if keras.backend.backend() != "tensorflow":
    pytest.skip("the example trains with TensorFlow", allow_module_level=True)
pytest.importorskip("sklearn")


@pytest.fixture
def training(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))
    import train

    yield train
    sys.modules.pop("train")


def test_digits(training):
    x_train, x_test, y_train, y_test = training.load()
    assert x_train.shape == (1437, 8, 8) and x_test.shape == (360, 8, 8)
    assert x_train.min() == 0 and x_train.max() == 1
    assert set(np.bincount(y_test)) <= set(range(34, 39))  # as many of each
    trained_on = {image.tobytes() for image in x_train}
    assert not trained_on & {image.tobytes() for image in x_test}
    varied = training.varied(x_train[:20], np.random.default_rng(0), copies=2)
    assert varied.shape == (60, 8, 8) and varied.min() >= 0 and varied.max() <= 1
    np.testing.assert_array_equal(varied[:20], x_train[:20])
    difference = np.abs(varied[20:40] - x_train[:20]).mean((1, 2))
    assert (difference > 0).all() and (difference < 0.15).all()


@pytest.mark.slow
def test_a_short_training(training):
    x_train, _, y_train, _ = training.load()
    _, integers = training.train(
        x_train,
        y_train,
        seed=0,
        units=4,
        state_bits=4,
        accumulator_bits=5,
        batch=128,
        float_epochs=1,
        aware_epochs=1,
    )
    layer = integers.layers[0]
    low, high = layer.accumulator_range()
    assert (high - low).max() < 2**5
