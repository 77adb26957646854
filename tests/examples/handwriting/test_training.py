"""Training learns, stops early, and goes on after an interruption."""

import keras
import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("tensorboard")
from handwriting import training  # noqa: E402


def some_batches(count=2):
    rng = np.random.default_rng(0)
    images = rng.random((8 * count, 32, 128, 1), np.float32)
    classes = rng.integers(1, 4, (8 * count, 3))
    return tf.data.Dataset.from_tensor_slices((images, classes)).batch(8)


def train(directory, epochs, **flags):
    return training.train(
        "AddGRU", 4, some_batches(), some_batches(1), epochs=epochs, seed=0, directory=directory
    )


def test_learns_and_logs(tmp_path):
    run = train(tmp_path, epochs=3)
    assert run.history["loss"][-1] < run.history["loss"][0]
    assert len(run.seconds) == len(run.processor_seconds) == 3
    assert list((tmp_path / "logs").rglob("events.out.tfevents.*"))
    assert not (tmp_path / "backup").exists()  # it is through


def test_goes_on_where_it_was(tmp_path, monkeypatch):
    class Interruption(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    tensorboard = keras.callbacks.TensorBoard
    with monkeypatch.context() as patch:
        patch.setattr(keras.callbacks, "TensorBoard", lambda *a, **k: Interruption())
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, epochs=4)
    assert keras.callbacks.TensorBoard is tensorboard
    assert (tmp_path / "backup").is_dir()
    rest = train(tmp_path, epochs=4)
    assert rest.history and len(rest.history["loss"]) == 2


def test_stops_early_with_the_best_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "PATIENCE", 1)
    monkeypatch.setattr(training, "LEARNING_RATE", 30.0)  # far too much: it cannot go on falling
    run = train(tmp_path, epochs=20)
    losses = run.history["val_loss"]
    assert len(losses) < 20
    best = run.model.evaluate(some_batches(1), verbose=0)
    np.testing.assert_allclose(best, min(losses), rtol=1e-4)
