"""A causal convolution of a sequence that comes piece by piece."""

import keras


@keras.saving.register_keras_serializable(package="keras_addrnn")
class CausalConvolution(keras.layers.Conv1D):
    """`keras.layers.Conv1D` with the inputs before the first step as a state.

    Call arguments:
        sequences: Tensor `[batch, time, features]`.
        last_inputs: Tensor `[batch, steps_before, features]`, the oldest first.

    Returns:
        The outputs `[batch, time, filters]`, and the last inputs for the next call.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "padding": "valid"})

    @staticmethod
    def serves(layer):
        """Whether a convolution can be computed so, and needs to."""
        causal = layer.padding == "causal" and layer.data_format == "channels_last"
        # A user's own may do anything.
        own = type(layer) is not keras.layers.Conv1D
        return causal and not own and layer.strides == (1,) and steps_before(layer) > 0

    def build(self, sequences_shape, last_inputs_shape=None):
        super().build(sequences_shape)

    def call(self, sequences, last_inputs):
        sequences = keras.ops.cast(sequences, self.compute_dtype)
        window = keras.ops.concatenate([last_inputs, sequences], axis=1)
        return super().call(window), window[:, -steps_before(self) :]

    def compute_output_shape(self, sequences_shape, last_inputs_shape=None):
        batch, time, features = sequences_shape
        return (batch, time, self.filters), (batch, steps_before(self), features)


def steps_before(layer):
    """How many steps a convolution reads before the one that it answers to."""
    return layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
