"""Training: early stopping, an interrupted run goes on where it was, logs for TensorBoard."""

import csv
import dataclasses
import math
import pathlib
import statistics
import sys

import keras
from common.epoch_times import EpochTimes

from handwriting import model as network
from handwriting import resuming

LEARNING_RATE = 2e-3  # of the first epoch
PATIENCE = 5  # epochs without a lower validation loss
NEW_WEIGHTS, NEW_MODEL = "new.weights.h5", "new.keras"  # until they are whole


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

    def per_epoch(self, name):
        """The median; of more than one without the first, which traces and fills the cache."""
        return statistics.median(self.history[name][1:] or self.history[name])


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
    trained, epochs_file = directory / "model.keras", directory / "epochs.csv"
    best, backup = directory / "best.weights.h5", directory / "backup"
    if trained.is_file():
        print(f"is trained already: {trained}")
        resuming.remove(backup, best)
        return Run(kind, keras.models.load_model(trained), directory, _history(epochs_file))
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "characters.txt").write_text("".join(alphabet.characters) + "\n")
    done = resuming.epochs_done(backup)
    if done:
        print(f"goes on after epoch {done}")
    else:
        resuming.remove(best, epochs_file)
    _cut(epochs_file)
    losses = _history(epochs_file).get("val_loss", [])
    lowest = min((loss for loss in losses if not math.isnan(loss)), default=None)

    keras.utils.set_random_seed(seed)
    model = network.build(kind, alphabet.size)
    model.compile(
        keras.optimizers.Adam(LEARNING_RATE, clipnorm=1.0),
        loss=network.ctc_loss,
        auto_scale_loss=False,
    )
    callbacks = keras.callbacks
    model.fit(
        training,
        validation_data=validation,
        epochs=epochs,
        shuffle=False,  # the batches are shuffled already
        verbose=1 if sys.stdout.isatty() else 2,  # progress bars; in a log, a line for each epoch
        callbacks=[
            EpochTimes(),
            falling_rate(LEARNING_RATE, epochs),  # docs/evidence.md says why
            callbacks.EarlyStopping(patience=PATIENCE, baseline=lowest),
            _Best(best, lowest),
            callbacks.TensorBoard(directory / "logs", write_graph=False),
            callbacks.CSVLogger(epochs_file, append=True),
            # Kept until the model is saved.
            callbacks.BackupAndRestore(backup, double_checkpoint=True, delete_checkpoint=False),
        ],
    )
    if best.is_file():  # no loss is the lowest where all are NaN
        model.load_weights(best)
    # Without the loss, which whoever loads the file would have to have.
    model = keras.Model(model.inputs, model.outputs, name=model.name)
    model.save(directory / NEW_MODEL)
    (directory / NEW_MODEL).replace(trained)
    resuming.remove(backup, best, directory / NEW_WEIGHTS)
    return Run(kind, model, directory, _history(epochs_file))


def _cut(path):
    """Takes away what a killed process has begun of a line, or the next one would go on with it."""
    if path.is_file():
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            temporary = path.with_suffix(".new")
            temporary.write_bytes(whole)
            temporary.replace(path)


def _history(path):
    """What `CSVLogger` wrote; of an epoch that was trained twice, what came last."""
    rows = {}
    if path.is_file():
        with path.open(newline="") as file:
            rows = {int(row.pop("epoch")): row for row in csv.DictReader(file)}
    names = next(iter(rows.values()), ())
    return {name: [float(rows[epoch][name]) for epoch in sorted(rows)] for name in names}


class _Best(keras.callbacks.Callback):
    """Keeps the weights of the epoch with the lowest validation loss, in a file that is whole."""

    def __init__(self, path, lowest):
        super().__init__()
        self._path, self._lowest = path, math.inf if lowest is None else lowest

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self._lowest:
            self._lowest = logs["val_loss"]
            temporary = self._path.with_name(NEW_WEIGHTS)  # Keras asks for this ending
            self.model.save_weights(temporary)
            temporary.replace(self._path)
