"""Training: early stopping, an interrupted run goes on where it was, logs for TensorBoard."""

import dataclasses
import statistics
import sys
import time

import keras

from handwriting import model as network

LEARNING_RATE = 2e-3
PATIENCE = 5  # epochs without a lower validation loss


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained model and how its training went; the lists have one entry for each epoch."""

    kind: str
    model: keras.Model
    history: dict
    seconds: list
    processor_seconds: list

    @property
    def seconds_per_epoch(self):
        """The median; of more than one without the first, which traces and fills the cache."""
        return statistics.median(self.seconds[1:] or self.seconds)

    @property
    def processor_seconds_per_epoch(self):
        """Likewise."""
        return statistics.median(self.processor_seconds[1:] or self.processor_seconds)


def train(kind, classes, training, validation, *, epochs, seed, directory):
    """Trains one network and returns its `Run`.

    Args:
        kind: `"AddGRU"`, `"GRU"` or `"LSTM"`.
        classes: Number of classes, with the blank.
        training, validation: Batches, as `pipeline.batches` makes them.
        epochs: Positive integer, the most to train for; fewer if the validation loss does not fall
            any more.
        seed: Of the weights and of the dropout.
        directory: For the logs (`logs/`), and for what a run that is interrupted goes on from.
    """
    keras.utils.set_random_seed(seed)
    model = network.build(kind, classes)
    model.compile(
        keras.optimizers.Adam(LEARNING_RATE, clipnorm=1.0),
        loss=network.ctc_loss,
        auto_scale_loss=False,
    )
    timer = _Timer()
    history = model.fit(
        training,
        validation_data=validation,
        epochs=epochs,
        shuffle=False,  # the batches are shuffled already
        verbose=1 if sys.stdout.isatty() else 2,  # progress bars; in a log, a line for each epoch
        callbacks=[
            timer,
            keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True),
            keras.callbacks.TensorBoard(directory / "logs", write_graph=False),
            keras.callbacks.BackupAndRestore(directory / "backup", double_checkpoint=True),
        ],
    )
    return Run(kind, model, history.history, timer.seconds, timer.processor_seconds)


class _Timer(keras.callbacks.Callback):
    """What each epoch of training took, without the validation at its end.

    The seconds of the clock, and those of all processors together that this process had: on a
    machine that others use too, the second says more.
    """

    def __init__(self):
        super().__init__()
        self.seconds, self.processor_seconds = [], []

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter(), time.process_time()

    def on_test_begin(self, logs=None):
        self.seconds.append(time.perf_counter() - self._begin[0])
        self.processor_seconds.append(time.process_time() - self._begin[1])
