"""The gate that arXiv 2308.05629 sets out from, and weights that cells of our own start with."""

import keras


class TwoSums(keras.layers.Layer):
    """A cell with AddGRU's weights, whose subclasses have `step(u, z, state)`."""

    def __init__(self, units, initializers=("glorot_uniform", "orthogonal"), **options):
        super().__init__(**options)
        self.units = self.state_size = self.output_size = units
        self._initializers = initializers  # of the kernel and of the recurrent kernel

    def build(self, shape):
        columns = 2 * self.units
        kernel, recurrent_kernel = self._initializers
        self.kernel = self.add_weight((shape[-1], columns), kernel, name="kernel")
        self.recurrent_kernel = self.add_weight(
            (self.units, columns), recurrent_kernel, name="recurrent_kernel"
        )
        self.bias = self.add_weight((columns,), "zeros", name="bias")

    def call(self, inputs, states):
        (state,) = states
        sums = inputs @ self.kernel + state @ self.recurrent_kernel + self.bias
        state = self.step(*keras.ops.split(sums, 2, axis=-1), state)
        return state, [state]


class MultiplyingGRUCell(TwoSums):
    """`sigmoid(u) * state + (1 - sigmoid(u)) * tanh(z)`, with AddGRU's sums `u` and `z`."""

    def step(self, u, z, state):
        kept = keras.ops.sigmoid(u)
        return kept * state + (1 - kept) * keras.ops.tanh(z)
