"""Keras layers that compute what an integer model would, and can be trained."""

import dataclasses

import keras
import numpy as np

from addrnn import _overflow, _quantized_weights, _validation
from addrnn._integers import weight_max
from addrnn.layers import IntegerAddGRU, IntegerDense
from addrnn.quantization import Quantization, StateQuantization
from addrnn.weight_quantization import finite, real_products
from keras_addrnn.ops import _arguments
from keras_addrnn.quantization import _fake_quantize
from keras_addrnn.quantization._fake_recurrence import recurrence

ops = keras.ops

# How much a sum counts, in the loss, that is twice as wide as it may be.
_PENALTY = 0.1


class _FakeQuantized(keras.layers.Wrapper):
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


@keras.saving.register_keras_serializable(package="keras_addrnn")
class FakeQuantizedAddGRU(_FakeQuantized):
    """An `AddGRU` layer computed in integers, on floats, with straight-through gradients.

    `keras_addrnn.quantization.quantization_aware` makes it. Its outputs are those of the
    `IntegerAddGRU` that `integers` returns, times the state's scale, unless
    `accumulator_span_limit` has been raised. The weights are those of the float layer; each call
    rounds them anew, and dropout is not applied.

    Args:
        layer: `AddGRU`, or `RNN` of an `AddGRUCell`.
        inputs: `Quantization`, how the inputs stand for real numbers, or its fields as a dict.
        state: `StateQuantization`, how the state does, or its fields as a dict.
        weight_bits: Integer from 2 to 8.
        accumulator_bits: Integer from 2 to 24, or None. Each sum of the update gate and the
            candidate then has at most `2**accumulator_bits` values, whatever the inputs and the
            state are. A penalty on what larger weights would need is among the losses.

    Attributes:
        accumulator_span_limit: Variable, `2**accumulator_bits - 1`: the greatest less the least
            value of a sum, at most. A larger number for the first epochs lets the sums become
            narrow little by little. None without `accumulator_bits`, or before the layer is built.

    Call arguments:
        inputs: Tensor `[batch, time, features]`, at least one step.
        mask: Boolean tensor `[batch, time]`. Where it is False, the state stays as it is.
    """

    def __init__(self, layer, inputs, state, weight_bits, accumulator_bits=None, **kwargs):
        super().__init__(layer, inputs, weight_bits, **kwargs)
        self.state = _from_config(StateQuantization, state)
        if accumulator_bits is not None:
            accumulator_bits = _validation.integer("accumulator_bits", accumulator_bits, 2, 24)
        self.accumulator_bits = accumulator_bits
        self.accumulator_span_limit = None
        self._activation = _arguments.activation(layer.cell.activation)
        self._candidate = _quantized_weights.candidate_range(self._activation, self.state)

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
        kernel, recurrent_kernel, bias, exponents, excess = self._quantized_weights()
        if excess is not None:
            self.add_loss(_PENALTY * ops.sum(excess))
        kernel = kernel * _fake_quantize.power_of_two(exponents[0])
        recurrent_kernel = recurrent_kernel * _fake_quantize.power_of_two(exponents[1])
        unit = _fake_quantize.power_of_two(ops.minimum(ops.minimum(*exponents), 0))
        bias = _fake_quantize.round_half_up(bias / unit) * unit
        integers = ops.transpose(_fake_quantize.quantize_inputs(inputs, self.inputs), (1, 0, 2))
        sums = ops.matmul(integers, kernel)
        # The zero point is subtracted for good.
        sums = sums + (bias - self.inputs.zero_point * ops.sum(kernel, axis=0))
        if mask is not None:
            mask = ops.cast(ops.transpose(mask)[..., None], "float32")
        if self.layer.go_backwards:
            sums = ops.flip(sums, axis=0)
            mask = mask if mask is None else ops.flip(mask, axis=0)
        states = self._states(sums, recurrent_kernel, mask)
        states = ops.transpose(states, (1, 0, 2)) if self.layer.return_sequences else states[-1]
        return states * self.state.scale

    def _states(self, sums, recurrent_kernel, mask):
        """The states after each step, `[T, B, H]`, in integers. Another gate overrides this."""
        return recurrence(
            sums,
            recurrent_kernel,
            mask,
            state_shift=self.state.shift,
            state_max=self.state.max,
            candidate_min=self._candidate[0],
            candidate_max=self._candidate[1],
        )

    def compute_mask(self, inputs, mask=None):
        return mask if self.layer.return_sequences else None

    def integers(self) -> IntegerAddGRU:
        """The `IntegerAddGRU` that gives the same numbers.

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
        *weights, exponents, _ = self._quantized_weights()
        weights = [
            finite(self.name, name, ops.convert_to_numpy(tensor))
            for name, tensor in zip(("kernel", "recurrent_kernel", "bias"), weights, strict=True)
        ]
        return _quantized_weights.add_gru(
            *weights,
            *map(ops.convert_to_numpy, exponents),
            activation=self._activation,
            inputs=self.inputs,
            state=self.state,
            weight_bits=self.weight_bits,
            name=self.name,
            go_backwards=bool(self.layer.go_backwards),
            return_sequences=bool(self.layer.return_sequences),
        )

    def _quantized_weights(self):
        """Kernels as integers, the bias in units of the state, both exponents, and the excess."""
        cell, scale = self.layer.cell, self.state.scale
        kernel = ops.cast(cell.scaled_kernel(), "float32") * (self.inputs.scale / scale)
        recurrent_kernel = ops.cast(cell.recurrent_kernel, "float32")
        bias = ops.zeros_like(kernel[0])
        if cell.bias is not None:
            bias = ops.cast(cell.bias, "float32") * (1 / scale)
        greatest = weight_max(self.weight_bits)
        fixed = ops.stop_gradient(kernel), ops.stop_gradient(recurrent_kernel)
        least, bias = _overflow.least_exponent(
            real_products(*fixed, self.inputs, self.state),
            bias,
            self.state.max + self.state.shift + 1,
            greatest,
            ops,
        )
        if self.accumulator_bits is None:
            kernel, exponent = _fake_quantize.quantize_columns(kernel, greatest, least)
            recurrent_kernel, recurrent_exponent = _fake_quantize.quantize_columns(
                recurrent_kernel, greatest, least
            )
            return kernel, recurrent_kernel, bias, (exponent, recurrent_exponent), None
        # One step for both: a sum whose halves are shifted apart has more values.
        low, high = self.inputs.range
        rows = kernel.shape[0], recurrent_kernel.shape[0]
        both, exponent, excess = _fake_quantize.quantize_columns_within(
            ops.concatenate([kernel, recurrent_kernel]),
            np.repeat([high - low, self.state.max + self.state.shift], rows),
            greatest,
            least,
            self.accumulator_span_limit,
        )
        return both[: rows[0]], both[rows[0] :], bias, (exponent, exponent), excess

    def get_config(self):
        config = {
            "state": dataclasses.asdict(self.state),
            "accumulator_bits": self.accumulator_bits,
        }
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable(package="keras_addrnn")
class FakeQuantizedDense(_FakeQuantized):
    """A `Dense` layer at the end, computed in integers, on floats, with straight-through gradients.

    `keras_addrnn.quantization.quantization_aware` makes it. Before the activation, its outputs are
    those of the `IntegerDense` that `integers` returns, times its scale.

    Args:
        layer: `Dense`.
        inputs: `Quantization`, how the inputs stand for real numbers, with 0 at 0, or its
            fields as a dict.
        weight_bits: Integer from 2 to 8.

    Call arguments:
        inputs: Tensor `[..., features]`.
    """

    def call(self, inputs):
        kernel, bias, step = self._quantized_weights()
        integers = _fake_quantize.quantize_inputs(inputs, self.inputs)
        sums = ops.matmul(integers, kernel) + _fake_quantize.round_half_up(bias / step)
        return self.layer.activation(sums * (step * self.inputs.scale))

    def integers(self) -> IntegerDense:
        """The `IntegerDense` that gives the same numbers.

        Raises:
            ValueError: A weight is not finite.
        """
        kernel, bias, step = map(ops.convert_to_numpy, self._quantized_weights())
        return _quantized_weights.dense(
            finite(self.name, "kernel", kernel),
            finite(self.name, "bias", bias),
            step,
            inputs=self.inputs,
            weight_bits=self.weight_bits,
            name=self.name,
        )

    def _quantized_weights(self):
        """The kernel as integers, the bias in units of the inputs, and the kernel's step."""
        kernel = ops.cast(self.layer.kernel, "float32")
        bias = ops.zeros_like(kernel[0])
        if self.layer.use_bias:
            bias = ops.cast(self.layer.bias, "float32") * (1 / self.inputs.scale)
        fixed = ops.stop_gradient(kernel), ops.stop_gradient(bias)
        least = _overflow.least_step(fixed[0], -float(self.inputs.range[0]), fixed[1], ops)
        kernel, step = _fake_quantize.quantize_whole(kernel, weight_max(self.weight_bits), least)
        return kernel, bias, step


def _from_config(kind, value):
    return kind(**value) if isinstance(value, dict) else value
