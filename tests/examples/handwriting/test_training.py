"""Training learns, stops early, and goes on after an interruption."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("tensorboard")
from common.epoch_times import per_epoch  # noqa: E402
from handwriting import model as network  # noqa: E402
from handwriting import pipeline, training  # noqa: E402


def some_batches(count=2):
    rng = np.random.default_rng(0)
    images = rng.random((8 * count, 32, 128, 1), np.float32)
    classes = rng.integers(1, 4, (8 * count, 3))
    return tf.data.Dataset.from_tensor_slices((images, classes)).batch(8)


ALPHABET = pipeline.Alphabet(["ab"])  # blank, unknown, a, b


def train(directory, epochs, kind="AddGRU"):
    batches = some_batches(), some_batches(1)
    return training.train(kind, ALPHABET, *batches, epochs=epochs, seed=0, directory=directory)


def test_learns_and_writes(tmp_path):
    run = train(tmp_path / "a" / "b", epochs=3)
    assert run.directory == tmp_path / "a" / "b"
    assert set(run.history) == {
        *("loss", "val_loss", "learning_rate", "seconds", "processor_seconds")
    }
    assert all(len(values) == 3 for values in run.history.values())
    assert run.history["loss"][-1] < run.history["loss"][0]
    half_a_cosine = 0.002 * (1 + np.cos(np.pi * np.arange(3) / 3)) / 2
    np.testing.assert_allclose(run.history["learning_rate"], half_a_cosine, rtol=1e-5)
    assert per_epoch(run.history["seconds"]) == pytest.approx(np.median(run.history["seconds"][1:]))
    assert list((run.directory / "logs").rglob("events.out.tfevents.*"))
    files = {file.name for file in run.directory.iterdir()}
    assert files == {"characters.txt", "epochs.csv", "logs", "model.keras"}  # it is through
    assert (run.directory / "characters.txt").read_text() == "ab\n"

    # Nobody needs this example to load it.
    loaded = keras.models.load_model(run.directory / "model.keras")
    images = next(iter(some_batches(1)))[0]
    np.testing.assert_array_equal(loaded.predict(images), run.model.predict(images))


def test_what_is_trained_is_not_trained_again(tmp_path, capsys):
    first = train(tmp_path, epochs=1)
    again = train(tmp_path, epochs=1)
    assert f"is trained already: {tmp_path / 'model.keras'}" in capsys.readouterr().out
    assert again.history == first.history
    for weights, same in zip(again.model.get_weights(), first.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, same)


class Weights(keras.callbacks.Callback):
    """Those that each epoch begins with; stops before the epoch given."""

    def __init__(self, stop=None):
        super().__init__()
        self.stop, self.weights = stop, {}

    def on_epoch_begin(self, epoch, logs=None):
        self.weights[epoch] = [
            keras.ops.convert_to_numpy(each)
            for each in (*self.model.weights, *self.model.optimizer.variables)
        ]
        if epoch == self.stop:
            raise KeyboardInterrupt


def watched(monkeypatch, callback, directory, epochs):
    """Trains with one more callback, in TensorBoard's place."""
    with monkeypatch.context() as patch:
        patch.setattr(keras.callbacks, "TensorBoard", lambda *a, **k: callback)
        return train(directory, epochs)


def test_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    interrupted, resumed = Weights(stop=2), Weights()
    with pytest.raises(KeyboardInterrupt):
        watched(monkeypatch, interrupted, tmp_path, epochs=4)
    assert not (tmp_path / "model.keras").exists()
    losses = [row["val_loss"] for row in training._read(tmp_path / "epochs.csv")]
    assert len(losses) == 2
    run = watched(monkeypatch, resumed, tmp_path, epochs=4)
    assert "goes on after epoch 2" in capsys.readouterr().out
    assert list(resumed.weights) == [2, 3]
    for weights, same in zip(resumed.weights[2], interrupted.weights[2], strict=True):
        np.testing.assert_array_equal(weights, same)
    assert len(run.history["loss"]) == len(run.history["seconds"]) == 4
    assert run.history["val_loss"][:2] == losses
    rates = run.history["learning_rate"]
    assert rates == sorted(rates, reverse=True) and len(set(rates)) == 4


@pytest.mark.parametrize(
    ("file", "content", "stop", "first"),
    [
        ("epochs.csv", "epoch,loss\n0,0.5\n", 0, 0),  # before the first weights
        ("new.weights.h5", "half", 2, 2),
        ("new.csv", "epoch,loss\n0,0.5\n1,", 2, 2),
        ("epochs.csv", "2,0.5,0.5,0.5,0.5,0.5\n", 2, 2),  # before the weights of this epoch
    ],
)
def test_goes_on_after_a_kill_while_something_was_written(
    tmp_path, monkeypatch, capsys, file, content, stop, first
):
    with pytest.raises(KeyboardInterrupt):
        watched(monkeypatch, Weights(stop), tmp_path, epochs=3)
    with (tmp_path / file).open("a") as stream:
        stream.write(content)
    resumed = Weights()
    run = watched(monkeypatch, resumed, tmp_path, epochs=3)
    assert min(resumed.weights) == first
    shown = capsys.readouterr().out
    assert f"goes on after epoch {first}" in shown if first else "goes on" not in shown
    assert {path.name for path in tmp_path.iterdir()} == {
        *("characters.txt", "epochs.csv", "model.keras")
    }
    assert len(run.history["loss"]) == 3
    assert evaluated(run.model) == pytest.approx(min(run.history["val_loss"]), rel=1e-4)


def test_the_best_epoch_may_be_before_the_interruption(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        watched(monkeypatch, Weights(stop=2), tmp_path, epochs=4)
    monkeypatch.setattr(training, "LEARNING_RATE", 30.0)  # far too much: it gets worse
    run = train(tmp_path, epochs=4)
    losses = run.history["val_loss"]
    assert min(losses) == min(losses[:2])
    assert evaluated(run.model) == pytest.approx(min(losses), rel=1e-4)


def evaluated(model):
    """The validation loss of a model without one."""
    model.compile(loss=network.ctc_loss)
    return model.evaluate(some_batches(1), verbose=0)


def test_a_training_that_is_through_but_not_saved(tmp_path, monkeypatch):
    def interrupted(*arguments, **flags):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, epochs=2)
    run = train(tmp_path, epochs=2)
    assert len(run.history["loss"]) == 2
    assert evaluated(run.model) == pytest.approx(min(run.history["val_loss"]), rel=1e-4)


def test_stops_early_with_the_best_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "PATIENCE", 1)
    monkeypatch.setattr(training, "LEARNING_RATE", 30.0)  # far too much: it cannot go on falling
    run = train(tmp_path, epochs=20)
    losses = run.history["val_loss"]
    assert len(losses) < 20
    np.testing.assert_allclose(evaluated(run.model), min(losses), rtol=1e-4)


def test_other_settings_other_directories(tmp_path):
    words = types.SimpleNamespace(name="digits_1")
    settings = [(words, "GRU", 3, 0), (words, "LSTM", 3, 0), (words, "GRU", 4, 0)]
    settings += [(words, "GRU", 3, 1), (types.SimpleNamespace(name="digits_2"), "GRU", 3, 0)]
    directories = {training.directory_of(tmp_path, *each) for each in settings}
    assert len(directories) == len(settings)
