"""The gate that arXiv 2308.05629 sets out from: the addition-based one's multiplication twin."""

import keras


@keras.saving.register_keras_serializable(package="keras_addrnn_examples")
class MultiplyingGRUCell(keras.layers.Layer):
    """One step of `AddGRUCell` with the conventional gate: the same weights, sums and activation.

        [u | z] = inputs @ kernel + state @ recurrent_kernel + bias
        state = sigmoid(u) * state + (1 - sigmoid(u)) * activation(z)

    Args:
        units: Positive integer, the size of the state and of the output.
        activation: Activation of the candidate. Default: `"tanh"`, as GRU has it.
    """

    def __init__(self, units, activation="tanh", **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        columns = 2 * self.units
        self.kernel = self.add_weight(
            shape=(input_shape[-1], columns), initializer="glorot_uniform", name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, columns), initializer="orthogonal", name="recurrent_kernel"
        )
        self.bias = self.add_weight(shape=(columns,), initializer="zeros", name="bias")

    def call(self, inputs, states):
        (state,) = states
        sums = inputs @ self.kernel + state @ self.recurrent_kernel + self.bias
        update, candidate = keras.ops.split(sums, 2, axis=-1)
        kept = keras.ops.sigmoid(update)
        state = kept * state + (1 - kept) * self.activation(candidate)
        return state, [state]

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "units": self.units, "activation": activation}
