"""The times of epochs: a callback that measures them, and their median."""

import statistics
import time

import keras


class EpochTimes(keras.callbacks.Callback):
    """Adds the time of an epoch without its validation to its logs, for the callbacks after it.

    `seconds` are of the clock, `processor_seconds` of all processors together. The second is the
    fairer one on a machine that others use too. For `fit` with validation data.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter(), time.process_time()

    def on_test_begin(self, logs=None):
        self._end = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = self._end[0] - self._begin[0]
        logs["processor_seconds"] = self._end[1] - self._begin[1]


def per_epoch(times):
    """The median; of more than one without the first, which traces and compiles."""
    return statistics.median(times[1:] or times)
