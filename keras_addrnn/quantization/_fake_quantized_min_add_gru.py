"""`FakeQuantizedMinAddGRU`: a `MinAddGRU` layer that computes what its integers would."""

import keras
import numpy as np

from addrnn import _quantized_weights
from addrnn._integers import weight_max
from addrnn.weight_quantization import greatest_input
from addrnn.window_sequence import WindowTensors
from keras_addrnn.ops import _min_composed
from keras_addrnn.quantization import _fake_quantize
from keras_addrnn.quantization._fake_quantized import FakeQuantizedRecurrent
from keras_addrnn.quantization._fake_recurrence import fading_recurrence

ops = keras.ops


@keras.saving.register_keras_serializable(package="keras_addrnn")
class FakeQuantizedMinAddGRU(FakeQuantizedRecurrent):
    """A `MinAddGRU` layer computed in integers, on floats, with straight-through gradients.

    `keras_addrnn.quantization.quantization_aware` makes it. Its outputs are those of the
    `IntegerMinAddGRU` that `integers` returns, times the state's scale, unless
    `accumulator_span_limit` has been raised. The weights are those of the float layer; each call
    rounds them anew, and dropout is not applied.

    Args:
        layer: `MinAddGRU`.
        inputs: `Quantization`, how the inputs stand for real numbers, or its fields as a dict.
        state: `StateQuantization` with a shift of 0, how the state does, or its fields as a dict.
        weight_bits: Integer from 2 to 8.
        accumulator_bits: Integer from 2 to 24, or None. Each sum of the update gate and the
            candidate then has at most `2**accumulator_bits` values, whatever the inputs are. A
            penalty on what larger weights would need is among the losses.

    Attributes:
        accumulator_span_limit: Variable, as that of `FakeQuantizedAddGRU`.

    Call arguments:
        inputs: Tensor `[batch, time, features]`, at least one step.
        mask: Boolean tensor `[batch, time]`. Where it is False, the state stays as it is, and later
            steps read zeros.
    """

    _make_integer = staticmethod(_quantized_weights.min_add_gru)

    def _quantized_weights(self):
        taps, bias = self._kernel_and_bias()
        kernel = ops.reshape(taps, (-1, taps.shape[-1]))
        products = [(ops.stop_gradient(kernel), greatest_input(self.inputs))]
        least, bias = self._least_exponent(products, bias)
        greatest = weight_max(self.weight_bits)
        excess = None
        if self.accumulator_bits is None:
            kernel, exponent = _fake_quantize.quantize_columns(kernel, greatest, least)
        else:
            low, high = self.inputs.range
            spans = np.full(kernel.shape[0], high - low)
            kernel, exponent, excess = _fake_quantize.quantize_columns_within(
                kernel, spans, greatest, least, self.accumulator_span_limit
            )
        weights = {"kernel": ops.reshape(kernel, taps.shape), "bias": bias, "exponent": exponent}
        return weights, excess

    def _integer_states(self, integers, mask, kernel, bias, exponent):
        unit = _fake_quantize.power_of_two(exponent)
        tensors = WindowTensors(
            # Without the zero point, the zeros before the first step are zeros here too.
            inputs=integers - self.inputs.zero_point,
            kernel=kernel * unit,
            bias=_fake_quantize.round_half_up(bias / unit) * unit,
            mask=None if mask is None else ops.cast(mask, "bool"),
        )
        tensors = _min_composed.in_order(tensors, self.layer.go_backwards)
        sums = _min_composed.pre_activations(tensors)
        return fading_recurrence(sums, tensors.mask, candidate_max=self._candidate[1])
