"""Peers of MinAddGRU: recurrent layers whose gates read inputs alone, of sigmoids and products."""

import keras

from benchmarks._tasks.linear_recurrence import linear_recurrence

ops = keras.ops


class InputGated(keras.layers.Layer):
    """`h_t = kept_t * h_{t-1} + written_t`, of the last `kernel_size` inputs.

    Subclasses have `columns`, the sums of each unit and step, and `gates`, a function of them.
    It is used like `ka.MinAddGRU`.

    Args:
        units: Positive integer, the size of the state.
        kernel_size: Positive integer, the number of inputs that the gates read.
        return_sequences: Whether to return the outputs of all steps, or that of the last one.
    """

    def __init__(self, units, kernel_size=3, return_sequences=False, **options):
        super().__init__(**options)
        self.units, self.return_sequences = units, return_sequences
        self.convolution = keras.layers.Conv1D(
            self.columns * units, kernel_size, padding="causal", dtype=self.dtype_policy
        )
        self.supports_masking = True

    def build(self, shape):
        self.convolution.build(shape)

    def call(self, inputs, mask=None):
        if mask is not None:
            mask = ops.expand_dims(mask, -1)
            inputs = ops.where(mask, inputs, ops.zeros_like(inputs))
        sums = ops.split(self.convolution(inputs), self.columns, axis=-1)
        kept, written, shown = self.gates(*sums)
        if mask is not None:
            kept = ops.where(mask, kept, ops.ones_like(kept))
            written = ops.where(mask, written, ops.zeros_like(written))
        outputs = linear_recurrence(kept, written)
        if shown is not None:
            outputs = shown * outputs
        if shown is not None and mask is not None:
            # A masked step shows what was shown before.
            new = ops.cast(mask, outputs.dtype)
            outputs = linear_recurrence((1 - new) * ops.ones_like(outputs), new * outputs)
        return outputs if self.return_sequences else outputs[:, -1]

    def compute_mask(self, inputs, mask=None):
        return mask if self.return_sequences else None

    def compute_output_shape(self, shape):
        return (*(shape[:-1] if self.return_sequences else shape[:1]), self.units)


class MinGRU(InputGated):
    """minGRU, arXiv 2410.01201, section 3.1; with `kernel_size=1` as there."""

    columns = 2

    def gates(self, update, candidate):
        update = ops.sigmoid(update)
        return 1 - update, update * candidate, None


class QRNN(InputGated):
    """A quasi-recurrent layer with fo-pooling, arXiv 1611.01576, section 2.1."""

    columns = 3

    def gates(self, forget, candidate, output):
        forget = ops.sigmoid(forget)
        return forget, (1 - forget) * ops.tanh(candidate), ops.sigmoid(output)
