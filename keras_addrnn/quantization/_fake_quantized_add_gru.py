"""`FakeQuantizedAddGRU`: an `AddGRU` layer that computes what its integers would."""

import keras
import numpy as np

from addrnn import _quantized_weights
from addrnn._integers import weight_max
from addrnn.weight_quantization import real_products
from keras_addrnn.quantization import _fake_quantize
from keras_addrnn.quantization._fake_quantized import FakeQuantizedRecurrent
from keras_addrnn.quantization._fake_recurrence import recurrence

ops = keras.ops


@keras.saving.register_keras_serializable(package="keras_addrnn")
class FakeQuantizedAddGRU(FakeQuantizedRecurrent):
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

    _make_integer = staticmethod(_quantized_weights.add_gru)

    def _quantized_weights(self):
        kernel, bias = self._kernel_and_bias()
        recurrent_kernel = ops.cast(self._cell.recurrent_kernel, "float32")
        fixed = ops.stop_gradient(kernel), ops.stop_gradient(recurrent_kernel)
        least, bias = self._least_exponent(real_products(*fixed, self.inputs, self.state), bias)
        greatest = weight_max(self.weight_bits)
        excess = None
        if self.accumulator_bits is None:
            kernel, exponent = _fake_quantize.quantize_columns(kernel, greatest, least)
            recurrent_kernel, recurrent_exponent = _fake_quantize.quantize_columns(
                recurrent_kernel, greatest, least
            )
        else:
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
            kernel, recurrent_kernel = both[: rows[0]], both[rows[0] :]
            recurrent_exponent = exponent
        weights = {
            "kernel": kernel,
            "recurrent_kernel": recurrent_kernel,
            "bias": bias,
            "kernel_exponent": exponent,
            "recurrent_exponent": recurrent_exponent,
        }
        return weights, excess

    def _integer_states(
        self, integers, mask, kernel, recurrent_kernel, bias, kernel_exponent, recurrent_exponent
    ):
        kernel = kernel * _fake_quantize.power_of_two(kernel_exponent)
        recurrent_kernel = recurrent_kernel * _fake_quantize.power_of_two(recurrent_exponent)
        finest = ops.minimum(kernel_exponent, recurrent_exponent)
        unit = _fake_quantize.power_of_two(ops.minimum(finest, 0))
        bias = _fake_quantize.round_half_up(bias / unit) * unit
        sums = ops.matmul(ops.transpose(integers, (1, 0, 2)), kernel)
        # The zero point is subtracted for good.
        sums = sums + (bias - self.inputs.zero_point * ops.sum(kernel, axis=0))
        if mask is not None:
            mask = ops.cast(ops.transpose(mask)[..., None], "float32")
        if self.layer.go_backwards:
            sums = ops.flip(sums, axis=0)
            mask = mask if mask is None else ops.flip(mask, axis=0)
        states = self._states(sums, recurrent_kernel, mask)
        states = states if self.layer.return_sequences else states[-1:]
        return ops.transpose(states, (1, 0, 2))

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
