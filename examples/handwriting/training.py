"""Training: early stopping, an interrupted run goes on where it was, logs for TensorBoard."""

import csv
import dataclasses
import pathlib
import sys

import keras
import numpy as np
from common.epoch_times import EpochTimes

from handwriting import model as network

LEARNING_RATE = 2e-3  # of the first epoch
PATIENCE = 5  # epochs without a lower validation loss


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained model and how its training went.

    Attributes:
        kind: `"AddGRU"`, `"GRU"` or `"LSTM"`.
        model: The `keras.Model` with the weights of the lowest validation loss.
        directory: `pathlib.Path` of what it has written, see `train`.
        history: Dict of lists with one entry for each epoch: `loss`, `val_loss`, `learning_rate`,
            and the times that `EpochTimes` adds.
    """

    kind: str
    model: keras.Model
    directory: pathlib.Path
    history: dict


def directory_of(folder, words, kind, epochs, seed):
    """Where to train, another directory for other settings.

    Args:
        folder: `pathlib.Path`.
        words: `sources.Words`.
        kind, epochs, seed: As of `train`.
    """
    return folder / words.name / f"{kind.lower()}_epochs{epochs}_seed{seed}"


def falling_rate(rate, epochs):
    """A callback that lets the learning rate fall to 0 along half a cosine, epoch by epoch."""
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs)
    return keras.callbacks.LearningRateScheduler(lambda epoch: float(schedule(epoch)))


def train(kind, alphabet, training, validation, *, epochs, seed, directory):
    """Trains one network, unless the directory holds it already, and returns its `Run`.

    What was interrupted goes on after its last whole epoch. Then the order of the images and the
    dropout are those of a first epoch again, and early stopping counts anew, from the best epoch.

    Args:
        kind: `"AddGRU"`, `"GRU"` or `"LSTM"`.
        alphabet: `pipeline.Alphabet`.
        training, validation: Batches, as `pipeline.batches` makes them.
        epochs: Positive integer, the most to train for; fewer if the validation loss does not fall
            any more.
        seed: Of the weights and of the dropout.
        directory: `pathlib.Path`, see `directory_of`, for the model (`model.keras`), the characters
            of its classes from 2 on (`characters.txt`), the losses and times (`epochs.csv`), the
            logs for TensorBoard (`logs/`), and what a run that is interrupted goes on from.
    """
    trained = directory / "model.keras"
    if trained.is_file():
        print(f"is trained already: {trained}")
        return _finished(kind, keras.models.load_model(trained), directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "characters.txt").write_text("".join(alphabet.characters) + "\n")
    keras.utils.set_random_seed(seed)
    model = network.build(kind, alphabet.size)
    model.compile(
        keras.optimizers.Adam(LEARNING_RATE, clipnorm=1.0),
        loss=network.ctc_loss,
        auto_scale_loss=False,
    )
    checkpoints = _Checkpoints(directory)
    done = len(checkpoints.epochs)
    if done:
        print(f"goes on after epoch {done}")
        model.optimizer.build(model.trainable_variables)
        model.load_weights(checkpoints.weights()[done])
    callbacks = keras.callbacks
    model.fit(
        training,
        validation_data=validation,
        initial_epoch=done,
        epochs=epochs,
        shuffle=False,  # the batches are shuffled already
        verbose=1 if sys.stdout.isatty() else 2,  # progress bars; in a log, a line for each epoch
        callbacks=[
            EpochTimes(),
            falling_rate(LEARNING_RATE, epochs),  # docs/results/mnist.md says why
            callbacks.EarlyStopping(
                patience=PATIENCE, baseline=min(checkpoints.losses()) if done else None
            ),
            callbacks.TensorBoard(directory / "logs", write_graph=False),
            checkpoints,
        ],
    )
    model.load_weights(checkpoints.weights()[checkpoints.best()])
    # Without the loss, which whoever loads the file would have to have.
    model = keras.Model(model.inputs, model.outputs, name=model.name)
    new = directory / "new.keras"
    model.save(new)
    new.replace(trained)
    return _finished(kind, model, directory)


def _finished(kind, model, directory):
    for path in directory.glob("*.weights.h5"):
        path.unlink()
    rows = _read(directory / "epochs.csv")
    return Run(kind, model, directory, {name: [row[name] for row in rows] for name in rows[0]})


def _read(path):
    """A dict of each epoch's numbers; none where there is no file."""
    lines = path.read_text().splitlines() if path.is_file() else []
    return [
        {name: float(value) for name, value in row.items() if name != "epoch"}
        for row in csv.DictReader(lines)
    ]


class _Checkpoints(keras.callbacks.Callback):
    """Keeps what is told of each epoch, and the weights after the last and after the best one.

    A file gets its name when it is whole, since the process may be killed while it writes.
    """

    def __init__(self, directory):
        super().__init__()
        self._directory = directory
        # An epoch counts when its weights are written, which is last.
        self.epochs = _read(directory / "epochs.csv")[: max(self.weights(), default=0)]

    def weights(self):
        """Dict from a number of epochs to the file of the weights after them."""
        files = self._directory.glob("[0-9]*.weights.h5")
        return {int(file.name.partition(".")[0]): file for file in files}

    def losses(self):
        """Those of the validation, infinite where there is none."""
        return np.nan_to_num([row["val_loss"] for row in self.epochs], nan=np.inf)

    def best(self):
        """The number of epochs until the lowest validation loss."""
        return 1 + int(self.losses().argmin())

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(dict(sorted(logs.items())))
        rows, weights = self._directory / "new.csv", self._directory / "new.weights.h5"
        with rows.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *self.epochs[0]])
            writer.writerows([n, *row.values()] for n, row in enumerate(self.epochs))
        rows.replace(self._directory / "epochs.csv")
        self.model.save_weights(weights)  # Keras asks for this ending
        weights.replace(self._directory / f"{epoch + 1}.weights.h5")
        for number, file in self.weights().items():
            if number not in (epoch + 1, self.best()):
                file.unlink()
