"""What Keras layers have in common that compute what an integer model would, and can be trained."""

import dataclasses

import keras

from addrnn import _overflow, _quantized_weights, _validation
from addrnn._integers import weight_max
from addrnn.layers import RecurrentLayer
from addrnn.quantization import Quantization, StateQuantization
from addrnn.weight_quantization import finite
from keras_addrnn.ops import _arguments
from keras_addrnn.quantization import _fake_quantize

ops = keras.ops

# How much a sum counts, in the loss, that is twice as wide as it may be.
_PENALTY = 0.1


class FakeQuantized(keras.layers.Wrapper):
    """Holds a layer, whose weights it trains, and how numbers become integers."""

    def __init__(self, layer, inputs, weight_bits, **kwargs):
        # Integers are exact in float32, up to 2^24, and in none of the shorter types.
        # The held layer's outputs are never computed, so this one regularizes in its place.
        regularizer = {"activity_regularizer": layer.activity_regularizer}
        super().__init__(layer, **{**kwargs, **regularizer, "dtype": "float32"})
        self.inputs = _from_config(Quantization, inputs)
        self.weight_bits = _validation.integer("weight_bits", weight_bits, 2, 8)
        self.supports_masking = True

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        config = {"inputs": dataclasses.asdict(self.inputs), "weight_bits": self.weight_bits}
        return {**super().get_config(), **config}


class FakeQuantizedRecurrent(FakeQuantized):
    """A recurrent layer. What it computes is in the classes derived from it.

    They have `_make_integer`, the function of `_quantized_weights` for their integer layer, and the
    two methods that raise `NotImplementedError` here.
    """

    def __init__(self, layer, inputs, state, weight_bits, accumulator_bits=None, **kwargs):
        super().__init__(layer, inputs, weight_bits, **kwargs)
        self.state = _from_config(StateQuantization, state)
        if accumulator_bits is not None:
            accumulator_bits = _validation.integer("accumulator_bits", accumulator_bits, 2, 24)
        self.accumulator_bits = accumulator_bits
        self.accumulator_span_limit = None
        self._activation = _arguments.activation(self._cell.activation)
        self._candidate = _quantized_weights.candidate_range(self._activation, self.state)

    @property
    def _cell(self):
        """What has the weights and the activation."""
        return getattr(self.layer, "cell", self.layer)

    def build(self, input_shape):
        super().build(input_shape)
        if self.accumulator_bits is not None:
            self.accumulator_span_limit = self.add_weight(
                (),
                keras.initializers.Constant(2**self.accumulator_bits - 1),
                trainable=False,
                name="accumulator_span_limit",
            )

    def call(self, inputs, mask=None):
        weights, excess = self._quantized_weights()
        if excess is not None:
            self.add_loss(_PENALTY * ops.sum(excess))
        integers = _fake_quantize.quantize_inputs(inputs, self.inputs)
        states = self._integer_states(integers, mask, **weights)
        states = states if self.layer.return_sequences else states[:, -1]
        return states * self.state.scale

    def compute_mask(self, inputs, mask=None):
        return mask if self.layer.return_sequences else None

    def integers(self) -> RecurrentLayer:
        """The integer layer that gives the same numbers.

        Raises:
            ValueError: A weight is not finite, or too large to be added up in 32 bits; or the sums
                are still wider than `accumulator_bits`.
        """
        if self.accumulator_span_limit is not None:
            asked = 2**self.accumulator_bits - 1
            limit = float(ops.convert_to_numpy(self.accumulator_span_limit))
            if limit > asked:
                raise ValueError(
                    f"In layer '{self.name}' sums may still go over {limit + 1:.0f} values, not "
                    f"the {asked + 1} of accumulator_bits={self.accumulator_bits}. Assign {asked} "
                    "to its `accumulator_span_limit`, and train on."
                )
        weights, _ = self._quantized_weights()
        weights = {name: ops.convert_to_numpy(tensor) for name, tensor in weights.items()}
        for name, array in weights.items():
            finite(self.name, name, array)
        return self._make_integer(
            **weights,
            activation=self._activation,
            inputs=self.inputs,
            state=self.state,
            weight_bits=self.weight_bits,
            name=self.name,
            go_backwards=bool(self.layer.go_backwards),
            return_sequences=bool(self.layer.return_sequences),
        )

    def _quantized_weights(self):
        """The weights by name, as `_make_integer` takes them, and the excess.

        Kernels are integers, the bias is in units of the state. The excess is how far the sum of
        each column is beyond `accumulator_span_limit`; None without `accumulator_bits`.
        """
        raise NotImplementedError

    def _integer_states(self, integers, mask, **weights):
        """The states `[B, T, H]` in the order of processing, in integers; or the last alone.

        All of them are needed with `return_sequences` only.
        """
        raise NotImplementedError

    def _kernel_and_bias(self):
        """In units of the state: what 1 in an input adds to the gate, and the bias."""
        cell, scale = self._cell, self.state.scale
        kernel = ops.cast(cell.scaled_kernel(), "float32") * (self.inputs.scale / scale)
        if cell.bias is None:
            return kernel, ops.zeros(kernel.shape[-1:], "float32")
        return kernel, ops.cast(cell.bias, "float32") * (1 / scale)

    def _least_exponent(self, products, bias):
        """`addrnn._overflow.least_exponent`, of products without a gradient."""
        effect = self.state.max + self.state.shift + 1
        return _overflow.least_exponent(products, bias, effect, weight_max(self.weight_bits), ops)

    def get_config(self):
        config = {
            "state": dataclasses.asdict(self.state),
            "accumulator_bits": self.accumulator_bits,
        }
        return {**super().get_config(), **config}


def _from_config(kind, value):
    return kind(**value) if isinstance(value, dict) else value
