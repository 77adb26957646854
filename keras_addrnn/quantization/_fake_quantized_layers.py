"""Keras layers that compute what an integer model would, and can be trained."""

import dataclasses

import keras
import numpy as np

from addrnn import _validation, quantization, weight_quantization
from addrnn.layers import IntegerAddGRU, IntegerDense
from addrnn.quantization import Quantization
from keras_addrnn.ops import _validation as arguments
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
    `IntegerAddGRU` that `integers` returns, times the state's scale, unless `widest` has been
    raised. The weights are those of the float layer; each call rounds them anew, and dropout is
    not applied.

    Args:
        layer: `AddGRU`, or `RNN` of an `AddGRUCell`.
        inputs: `Quantization`, how the inputs stand for real numbers, or its fields as a dict.
        state: `addrnn.weight_quantization.State`, how the state does, or its fields as a dict.
        weight_bits: Integer from 2 to 8.
        accumulator_bits: Integer from 2 to 24, or None: over how many values, `2**accumulator_bits`
            at most, each sum of the update gate and the candidate goes, whatever the inputs and
            the state are. A penalty on what larger weights would need is among the losses.

    Attributes:
        widest: Variable, `2**accumulator_bits - 1`: the greatest less the least value of a sum, at
            most. A larger number for the first epochs lets the sums become narrow little by
            little. None without `accumulator_bits`, or before the layer is built.

    Call arguments:
        inputs: Tensor `[batch, time, features]`, at least one step.
        mask: Boolean tensor `[batch, time]`. Where it is False, the state stays as it is.
    """

    def __init__(self, layer, inputs, state, weight_bits, accumulator_bits=None, **kwargs):
        super().__init__(layer, inputs, weight_bits, **kwargs)
        self.state = _from_config(weight_quantization.State, state)
        if accumulator_bits is not None:
            accumulator_bits = _validation.integer("accumulator_bits", accumulator_bits, 2, 24)
        self.accumulator_bits = accumulator_bits
        self.widest = None
        activation = arguments.activation(layer.cell.activation)
        self._candidate = weight_quantization.candidate_range(activation, self.state)

    def build(self, input_shape):
        super().build(input_shape)
        if self.accumulator_bits is not None:
            self.widest = self.add_weight(
                (),
                keras.initializers.Constant(2**self.accumulator_bits - 1),
                trainable=False,
                name="widest",
            )

    def call(self, inputs, mask=None):
        parts = self._parts()
        if self.accumulator_bits is not None:
            self.add_loss(_PENALTY * ops.sum(parts["excess"]))
        integers = _fake_quantize.quantize_inputs(inputs, self.inputs)
        kernel = parts["kernel"] * parts["kernel_step"]
        sums = ops.matmul(ops.transpose(integers, (1, 0, 2)), kernel)
        sums = sums + parts["bias"] * parts["unit"]
        if mask is not None:
            mask = ops.cast(ops.transpose(mask)[..., None], "float32")
        if self.layer.go_backwards:
            sums = ops.flip(sums, axis=0)
            mask = mask if mask is None else ops.flip(mask, axis=0)
        recurrent_kernel = parts["recurrent_kernel"] * parts["recurrent_step"]
        states = self._states(sums, recurrent_kernel, mask)
        states = ops.transpose(states, (1, 0, 2)) if self.layer.return_sequences else states[-1]
        return states * self.state.scale

    def _states(self, sums, recurrent_kernel, mask):
        """The states after each step, `[T, B, H]`, in integers; arguments as of `recurrence`."""
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

    def integers(self):
        """The `IntegerAddGRU` that gives the same numbers.

        Raises:
            ValueError: A weight is not finite, or too large to be added up in 32 bits; or the sums
                are still wider than `accumulator_bits`.
        """
        if self.widest is not None:
            asked, widest = 2**self.accumulator_bits - 1, float(ops.convert_to_numpy(self.widest))
            if widest > asked:
                raise ValueError(
                    f"In layer '{self.name}' sums may still go over {widest + 1:.0f} values, not "
                    f"the {asked + 1} of accumulator_bits={self.accumulator_bits}. Assign {asked} "
                    "to its `widest`, and train on."
                )
        parts = {name: _whole(self.name, name, part) for name, part in self._parts(True).items()}
        return IntegerAddGRU(
            **parts,
            state_shift=self.state.shift,
            state_max=self.state.max,
            candidate_min=self._candidate[0],
            candidate_max=self._candidate[1],
            input_bits=self.inputs.bits,
            weight_bits=self.weight_bits,
            state_bits=self.state.bits,
            state_scale=self.state.scale,
            go_backwards=bool(self.layer.go_backwards),
            return_sequences=bool(self.layer.return_sequences),
            name=self.name,
        )

    def _parts(self, shifts=False):
        """Weights as integers; and as powers of two, in units of the state, or as shifts."""
        cell, scale = self.layer.cell, self.state.scale
        kernel = ops.cast(cell.kernel, "float32") * (self.inputs.scale / scale)
        recurrent_kernel = ops.cast(cell.recurrent_kernel, "float32")
        bias = ops.zeros_like(kernel[0])
        if cell.bias is not None:
            bias = ops.cast(cell.bias, "float32") / scale

        # Twice the largest sum, as rounding can double a weight, has to fit into 31 bits.
        largest = (
            1
            + ops.abs(bias)
            + ops.sum(ops.abs(kernel), axis=0)
            * (-self.inputs.range[0] + abs(self.inputs.zero_point))
            + ops.sum(ops.abs(recurrent_kernel), axis=0) * max(self.state.max, self.state.shift)
        )
        least = _fake_quantize.ceil_log2(ops.stop_gradient(largest)) - 29
        greatest = quantization.weight_max(self.weight_bits)
        if self.accumulator_bits is None:
            kernel, exponent = _fake_quantize.quantize_columns(kernel, greatest, least)
            recurrent_kernel, recurrent_exponent = _fake_quantize.quantize_columns(
                recurrent_kernel, greatest, least
            )
        else:
            # One step for both: a sum whose halves are shifted apart goes over more values.
            low, high = self.inputs.range
            rows = kernel.shape[0], recurrent_kernel.shape[0]
            both, exponent, excess = _fake_quantize.quantize_columns_within(
                ops.concatenate([kernel, recurrent_kernel]),
                np.repeat([high - low, self.state.max + self.state.shift], rows),
                greatest,
                least,
                self.widest,
            )
            kernel, recurrent_kernel = both[: rows[0]], both[rows[0] :]
            recurrent_exponent = exponent
        finest = ops.minimum(ops.minimum(exponent, recurrent_exponent), 0)
        unit = _fake_quantize.power_of_two(finest)
        kernel_step = _fake_quantize.power_of_two(exponent)
        # What the zero point adds, in the bias for good.
        zero = self.inputs.zero_point * ops.sum(kernel, axis=0) * (kernel_step / unit)
        parts = {
            "kernel": kernel,
            "recurrent_kernel": recurrent_kernel,
            "bias": _fake_quantize.round_half_up(bias / unit) - zero,
        }
        if shifts:
            parts["kernel_shift"] = exponent - finest
            parts["recurrent_shift"] = recurrent_exponent - finest
            parts["shift"] = -finest
        else:
            parts["unit"] = unit
            parts["kernel_step"] = kernel_step
            parts["recurrent_step"] = _fake_quantize.power_of_two(recurrent_exponent)
            if self.accumulator_bits is not None:
                parts["excess"] = excess
        return parts

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
        kernel, bias, scale = self._parts()
        integers = _fake_quantize.quantize_inputs(inputs, self.inputs)
        return self.layer.activation((ops.matmul(integers, kernel) + bias) * scale)

    def integers(self):
        """The `IntegerDense` that gives the same numbers.

        Raises:
            ValueError: A weight is not finite, or too large to be added up in 32 bits.
        """
        kernel, bias, scale = self._parts()
        return IntegerDense(
            kernel=_whole(self.name, "kernel", kernel),
            bias=_whole(self.name, "bias", bias),
            input_bits=self.inputs.bits,
            weight_bits=self.weight_bits,
            scale=float(scale),
            name=self.name,
        )

    def _parts(self):
        """Kernel and bias as integers, and the real number that 1 stands for in the output."""
        kernel = ops.cast(self.layer.kernel, "float32")
        bias = ops.zeros_like(kernel[0])
        if self.layer.use_bias:
            bias = ops.cast(self.layer.bias, "float32") / self.inputs.scale
        # Twice the largest sum, as rounding can double a weight, has to fit into 31 bits.
        largest = ops.abs(bias) - self.inputs.range[0] * ops.sum(ops.abs(kernel), axis=0)
        least = ops.stop_gradient(ops.max(largest)) / 2.0**29
        greatest = quantization.weight_max(self.weight_bits)
        kernel, step = _fake_quantize.quantize_whole(kernel, greatest, least)
        return kernel, _fake_quantize.round_half_up(bias / step), step * self.inputs.scale


def _from_config(kind, value):
    return kind(**value) if isinstance(value, dict) else value


def _whole(layer, name, tensor):
    """A tensor of whole numbers as int64."""
    array = keras.ops.convert_to_numpy(tensor)
    if not np.isfinite(array).all():
        raise ValueError(f"In layer '{layer}' the {name} holds NaN or infinity. Train it anew.")
    return array.astype(np.int64)
