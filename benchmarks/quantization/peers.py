"""The multiplication-based baseline and GRU, in float and fake-quantized.

Quantized as generously as integers allow: weights as AddGRU's, per column powers of two; sums are
exact; sigmoid and tanh are tables from `state_bits` bits to as many; a step's two products are
added before they are rounded to the state's grid.
"""

import keras

from addrnn.quantization import Quantization
from keras_addrnn.ops._scan import scan
from keras_addrnn.quantization import _fake_quantize

ops = keras.ops
INPUTS = Quantization(8, 1 / 255, -128)  # 0 to 1, as both tasks have them
KINDS = ("baseline", "GRU")


class Peer(keras.layers.Layer):
    """The last state of a recurrent layer.

    * baseline: `h = g * h + (1 - g) * relu(z)` with `g = sigmoid(u)`, weights like AddGRU's.
    * GRU: as `keras.layers.GRU`, `reset_after=True`, with one bias less.

    Args:
        kind: One of `KINDS`.
        units: Size of the state.
        quantized: Whether it computes in integers, by `levels`.
    """

    def __init__(self, kind, units, quantized):
        super().__init__()
        self.kind, self.units, self.quantized = kind, units, quantized

    def build(self, shape):
        gates = 2 if self.kind == "baseline" else 3
        columns = gates * self.units
        self.kernel = self.add_weight((shape[-1], columns), "glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            (self.units, columns), "orthogonal", name="recurrent"
        )
        self.bias = self.add_weight((columns,), "zeros", name="bias")
        if self.quantized:
            # Variables, so that one compiled function serves all scales that are tried.
            # Of the state is `scale`, of the sigmoid's table `table_range`.
            for name in ("weight_max", "state_max", "scale", "table_range"):
                setattr(self, name, self.add_weight((), "ones", trainable=False, name=name))

    def call(self, inputs):
        step = self._baseline if self.kind == "baseline" else self._gru
        kernel, recurrent, bias = self.kernel, self.recurrent_kernel, self.bias
        if self.quantized:
            inputs = (_fake_quantize.quantize_inputs(inputs, INPUTS) - INPUTS.zero_point) / 255
            # The scales are those of AddGRU: a power of two of the state's.
            ratio = 255 * self.scale
            kernel = self._weights(kernel / ratio) * ratio
            recurrent = self._weights(recurrent)
        projected = ops.matmul(ops.transpose(inputs, (1, 0, 2)), kernel) + bias
        start = ops.zeros_like(projected[0, :, : self.units])
        _, state = scan(
            lambda state, x_t: step(x_t[0], state, recurrent), start, [projected], collect=False
        )
        return state

    def _baseline(self, x, state, recurrent):
        u, z = ops.split(x + ops.matmul(state, recurrent), 2, axis=-1)
        g = self._sigmoid(u)
        return self._state(g * state + (1 - g) * self._state(ops.relu(z)))

    def _gru(self, x, state, recurrent):
        x_gates, x_h = x[:, : 2 * self.units], x[:, 2 * self.units :]
        r = ops.matmul(state, recurrent)
        g, reset = ops.split(self._sigmoid(x_gates + r[:, : 2 * self.units]), 2, axis=-1)
        candidate = x_h + reset * self._table_input(r[:, 2 * self.units :])
        candidate = self._state(ops.tanh(self._table_input(candidate)))
        return self._state(g * state + (1 - g) * candidate)

    def _weights(self, weights):
        least = ops.full(weights.shape[-1:], -30, dtype="int32")
        integers, exponent = _fake_quantize.quantize_columns(weights, self.weight_max, least)
        return integers * _fake_quantize.power_of_two(exponent)

    def _state(self, value):
        return self._rounded(value, self.scale, self.state_max) if self.quantized else value

    def _table_input(self, value):
        if not self.quantized:
            return value
        return self._rounded(value, self.table_range / (self.state_max + 1), self.state_max)

    def _sigmoid(self, value):
        value = ops.sigmoid(self._table_input(value))
        if not self.quantized:
            return value
        # 0 and 1 are among them, so that a gate can be shut.
        return self._rounded(value, 1 / (self.state_max + 1), self.state_max + 1)

    @staticmethod
    def _rounded(value, step, greatest):
        integers = _fake_quantize.round_half_up(value / step)
        return _fake_quantize.clip(integers, -greatest, greatest) * step


class PeerDense(keras.layers.Layer):
    """A dense layer; quantized with the numbers of a quantized `Peer`."""

    def __init__(self, units, activation, peer):
        super().__init__()
        self.units, self.activation = units, keras.activations.get(activation)
        self.peer = [peer]  # in a list: its weights are not this layer's

    def build(self, shape):
        self.kernel = self.add_weight((shape[-1], self.units), "glorot_uniform", name="kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def call(self, inputs):
        kernel = self.kernel
        if self.peer[0].quantized:
            integers, step = _fake_quantize.quantize_whole(kernel, self.peer[0].weight_max, 0.0)
            kernel = integers * step
        return self.activation(ops.matmul(inputs, kernel) + self.bias)


def peer_model(kind, features, units, outputs, activation, quantized):
    """A model `[batch, time, features]` to `[batch, outputs]`."""
    inputs = keras.Input((None, features))
    peer = Peer(kind, units, quantized)
    return keras.Model(inputs, PeerDense(outputs, activation, peer)(peer(inputs)))


def set_bits(model, weight_bits, state_bits, scale, table_range):
    """Sets how a quantized model computes, without retracing it."""
    peer = model.layers[1]
    peer.weight_max.assign(max(2 ** (weight_bits - 1) - 1, 1))
    peer.state_max.assign(2 ** (state_bits - 1) - 1)
    peer.scale.assign(scale)
    peer.table_range.assign(table_range)
