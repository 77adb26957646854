"""Two layers whose gates read inputs alone, where a network has one recurrent layer."""

import keras

import keras_addrnn as ka
from benchmarks._tasks.input_gated import QRNN, MinGRU

KINDS = {"MinAddGRU": ka.MinAddGRU, "minGRU": MinGRU, "QRNN": QRNN}


@keras.saving.register_keras_serializable(package="benchmarks")
class TwoLayers(keras.layers.Layer):
    """A layer, a LayerNormalization, a layer: used like `keras.layers.GRU`.

    Args:
        units: Positive integer, of both layers.
        kind: Name of one of `KINDS`.
        kernel_size: Positive integer, of both layers.
        return_sequences: Whether to return the outputs of all steps, or that of the last one.
        go_backwards: Whether to process the sequence from its end, and return it in that order.
    """

    return_state = stateful = False

    def __init__(
        self,
        units,
        kind="MinAddGRU",
        kernel_size=3,
        return_sequences=False,
        go_backwards=False,
        **options,
    ):
        super().__init__(**options)
        self.units, self.kind, self.kernel_size = units, kind, kernel_size
        self.return_sequences, self.go_backwards = return_sequences, go_backwards
        self.first = KINDS[kind](units, kernel_size, return_sequences=True)
        self.normalization = keras.layers.LayerNormalization()
        self.second = KINDS[kind](units, kernel_size, return_sequences=return_sequences)
        self.supports_masking = True

    def build(self, sequences_shape):
        hidden = (*sequences_shape[:-1], self.units)
        self.first.build(sequences_shape)
        self.normalization.build(hidden)
        self.second.build(hidden)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        assert initial_state is None  # what Bidirectional hands over where there is none
        if self.go_backwards:
            sequences = keras.ops.flip(sequences, axis=1)
            mask = None if mask is None else keras.ops.flip(mask, axis=1)
        hidden = self.first(sequences, mask=mask, training=training)
        return self.second(self.normalization(hidden), mask=mask, training=training)

    def compute_mask(self, sequences, mask=None):
        return mask if self.return_sequences else None

    def compute_output_shape(self, sequences_shape):
        return self.second.compute_output_shape((*sequences_shape[:-1], self.units))

    def get_config(self):
        names = ("units", "kind", "kernel_size", "return_sequences", "go_backwards")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
