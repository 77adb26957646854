"""What an epoch takes."""

import time

import keras


class EpochTimes(keras.callbacks.Callback):
    """Adds what an epoch took without its validation to its logs, for the callbacks after this one.

    `seconds` of the clock, and `processor_seconds` of all processors together. On a machine that
    others use too, the second says more. For `fit` with validation data.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter(), time.process_time()

    def on_test_begin(self, logs=None):
        self._end = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = self._end[0] - self._begin[0]
        logs["processor_seconds"] = self._end[1] - self._begin[1]
