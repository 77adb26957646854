"""`FakeQuantizedDense`: a `Dense` layer that computes what its integers would."""

import keras

from addrnn import _overflow, _quantized_weights
from addrnn._integers import weight_max
from addrnn.layers import IntegerDense
from addrnn.weight_quantization import finite
from keras_addrnn.quantization import _fake_quantize
from keras_addrnn.quantization._fake_quantized import FakeQuantized

ops = keras.ops


@keras.saving.register_keras_serializable(package="keras_addrnn")
class FakeQuantizedDense(FakeQuantized):
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
