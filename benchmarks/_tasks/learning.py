"""Trains a model and watches each batch's loss."""

import math
import time

import keras
import numpy as np


def classify(model, train, test, **options):
    """`learn` for a model that ends in a softmax; its error is the share of wrong classes.

    Args:
        model: A Keras model, which is compiled here, with Adam(1e-3).
        train: The first arguments of `model.fit`.
        test: Inputs and classes.
        options: Those of `learn`.
    """
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    x, classes = test

    def error():
        return np.mean(model.predict(x, batch_size=500, verbose=0).argmax(-1) != classes)

    return learn(model, *train, error=error, **options)


def learn_drawn(model, drawn, *, batches, every, **options):
    """`learn` from batches that are drawn anew, with the error after `every` so many."""
    epochs = {"epochs": batches // every, "steps_per_epoch": every, "shuffle": False}
    return learn(model, drawn, **epochs, **options)


def learn(model, *data, error, epochs, solved=None, **options):
    """Trains a compiled model; stops at a loss that is no number.

    Args:
        model: A compiled Keras model.
        data: The first arguments of `model.fit`.
        error: Function without arguments, called after each epoch: the error by then.
        solved: Error below which training ends, or None.
        epochs: Of `model.fit`; further options are handed to it.

    Returns:
        A dict: `error`, the last one, or None where training ended in no number; `first_loss`,
        the first batch's, and `worst_loss`, the largest of any single batch; `history`, the error
        after each epoch; `seconds` of the processor, validation and compilation included.
    """
    watch = _Watch(error, solved)
    begin = time.process_time()
    model.fit(*data, epochs=epochs, callbacks=[watch], verbose=0, **options)
    seconds = time.process_time() - begin
    return {
        "error": watch.history[-1],
        "first_loss": _number(watch.losses[0]),
        "worst_loss": None if None in map(_number, watch.losses) else max(watch.losses),
        "history": watch.history,
        "seconds": round(seconds, 2),
    }


def _number(value):
    """The value for JSON, which has no infinity."""
    return float(value) if math.isfinite(value) else None


class _Watch(keras.callbacks.Callback):
    def __init__(self, error, solved):
        super().__init__()
        self._error, self._solved, self.losses, self.history = error, solved, [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()  # or the loss would be the mean of the epoch so far

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(float(logs["loss"]))
        if not math.isfinite(self.losses[-1]):
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        wrong = self.model.stop_training or not math.isfinite(error := float(self._error()))
        self.history.append(None if wrong else error)
        solved = self._solved is not None and not wrong and error < self._solved
        self.model.stop_training = wrong or solved
