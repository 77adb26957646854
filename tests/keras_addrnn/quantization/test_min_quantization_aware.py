"""MinAddGRU trained as it computes in integers: windows, masks, zero points, and gradients."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from tests.backends import to_numpy
from tests.keras_addrnn.quantization.test_min_post_training import model
from tests.support import MASKS, make_mask

SIZES = [(1, 1, 1, 1, 1), (3, 2, 1, 5, 3), (2, 17, 7, 9, 2), (5, 9, 3, 31, 3)]


def data(sizes, low=0.0, high=1.0):
    batch, steps, features, *_ = sizes
    rng = np.random.default_rng(0)
    return rng.uniform(low, high, (batch, steps, features)).astype("float32")


def aware_model(x, *layers, **bits):
    made = model(*layers, features=x.shape[-1])
    return ka.quantization.quantization_aware(made, x, **bits)


def assert_equal_integers(aware, x, mask=None):
    """What the only layer gives, in its own integers, is what `quantize` makes gives."""
    _, layer = aware.layers
    integers = ka.quantization.quantize(aware)
    expected = integers.run(integers.inputs.quantize(x), mask)
    given = None if mask is None else keras.ops.convert_to_tensor(mask.copy())
    states = to_numpy(layer(keras.ops.convert_to_tensor(x), mask=given)) / layer.state.scale
    np.testing.assert_array_equal(np.rint(states), expected)
    np.testing.assert_allclose(states, expected, rtol=1e-6)
    return integers.layers[0]


@pytest.mark.backend_neutral
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
def test_masks_and_windows(sizes, sequences, go_backwards):
    batch, steps, _, units, taps = sizes
    x = data(sizes, -1, 2)
    layer = ka.MinAddGRU(units, taps, return_sequences=sequences, go_backwards=go_backwards)
    aware = aware_model(x, layer, weight_bits=5, state_bits=7)
    rng = np.random.default_rng(1)
    for mask in MASKS:
        assert_equal_integers(aware, x, make_mask(mask, batch, steps, rng))


@pytest.mark.backend_neutral
@pytest.mark.parametrize("taps", [1, 2, 3])
@pytest.mark.parametrize("weight_bits", range(2, 9))
def test_weights_of_any_bits(weight_bits, taps):
    x = data((4, 11, 5))
    layer = ka.MinAddGRU(6, taps, "linear", use_bias=weight_bits % 2 == 0, return_sequences=True)
    made = assert_equal_integers(aware_model(x, layer, weight_bits=weight_bits, state_bits=6), x)
    assert made.weight_bits == weight_bits and made.kernel_size == taps


@pytest.mark.backend_neutral
@pytest.mark.parametrize("input_bits", [1, 2, 8, 12])
@pytest.mark.parametrize("ends", [(0, 1), (-1, 0), (-1, 2)])
def test_zero_points(ends, input_bits):
    x = data((4, 11, 5), *ends)
    x[0, :3] = 0
    layer = ka.MinAddGRU(6, return_sequences=True)
    made = assert_equal_integers(aware_model(x, layer, weight_bits=4, input_bits=input_bits), x)
    # In a single bit, -1 to 0 are the integers -1 and 0.
    assert (made.input_zero_point != 0) == (ends != (-1, 0) or input_bits > 1)


@pytest.mark.backend_neutral
def test_inputs_coarser_than_the_state():
    """No shift to the left: the layer has multipliers, which are powers of two."""
    x = data((4, 11, 5))
    layer = ka.MinAddGRU(6, return_sequences=True)
    aware = aware_model(x, layer, weight_bits=3, state_bits=16, input_bits=2)
    assert assert_equal_integers(aware, x).multiplier is not None


@pytest.mark.backend_neutral
@pytest.mark.parametrize("taps", [1, 3])
@pytest.mark.parametrize("accumulator_bits", [2, 5, 9])
def test_sums_of_few_values(accumulator_bits, taps):
    x = data((4, 11, 5), -1, 2)
    layer = ka.MinAddGRU(6, taps, return_sequences=True)
    aware = aware_model(
        x, layer, weight_bits=4, state_bits=5, input_bits=2, accumulator_bits=accumulator_bits
    )
    low, high = assert_equal_integers(aware, x).accumulator_range()
    assert (high - low).max() < 2**accumulator_bits


@pytest.mark.backend_neutral
@pytest.mark.parametrize("steps", [None, 9])
def test_in_any_order_beside_addgru(steps):
    x = data((6, 9, 4), -1, 1)
    layers = (
        ka.MinAddGRU(5, return_sequences=True, go_backwards=True, name="first"),
        keras.layers.Dropout(0.5),
        keras.layers.RNN(ka.AddGRUCell(4), return_sequences=True, name="second"),
        ka.AddGRU(3, return_sequences=True, name="third"),
        ka.MinAddGRU(6, 2, name="fourth"),
        keras.layers.Dense(3, name="head"),
    )
    made = keras.Sequential([keras.Input((steps, 4)), *layers])
    bits = {"weight_bits": 5, "state_bits": 6}
    aware = ka.quantization.quantization_aware(made, x, **bits, accumulator_bits=9)
    integers = ka.quantization.quantize(aware)
    names = [layer.name for layer in integers.layers]
    assert names == ["first", "second", "third", "fourth", "head"]
    np.testing.assert_allclose(to_numpy(aware(x)), integers.predict(x), rtol=1e-5, atol=1e-6)
    aware.compile("sgd", "mse")
    aware.fit(x, np.ones((6, 3)), verbose=0)
    ours = to_numpy(aware(x))
    np.testing.assert_allclose(
        ours, ka.quantization.quantize(aware).predict(x), rtol=1e-5, atol=1e-6
    )


@pytest.mark.backend_neutral
def test_without_a_dense_layer():
    x = data((6, 9, 4))
    aware = aware_model(
        x, ka.MinAddGRU(5, return_sequences=True), ka.MinAddGRU(7, 1), weight_bits=4, state_bits=6
    )
    integers = ka.quantization.quantize(aware)
    np.testing.assert_allclose(to_numpy(aware(x)), integers.predict(x), rtol=1e-6)


def expected_gradients(layer, inputs, d_states):
    """Of kernel and bias where the layer's sums are not rounded: loops over everything.

    Args:
        layer: `IntegerMinAddGRU` that returns sequences.
        inputs: Integers `[B, T, D]`.
        d_states: `[B, T, H]`, the gradients of the states in integers.
    """
    taps, _, columns = layer.kernel.shape
    units, steps = columns // 2, inputs.shape[1]
    d_kernel, d_bias = np.zeros(layer.kernel.shape), np.zeros(columns)
    scale = np.ldexp(1.0, -layer.shift.astype(int))
    if layer.multiplier is not None:
        scale = scale * layer.multiplier
    for sequence, d_sequence in zip(inputs.astype(int), d_states, strict=True):
        read = np.full((taps - 1, inputs.shape[2]), layer.input_zero_point)
        read = np.concatenate([read, sequence])
        kernel = layer.kernel.astype(int)
        sums = [np.einsum("wd,wdc", read[t : t + taps], kernel) for t in range(steps)]
        sums = (np.array(sums) + layer.bias) * scale
        for unit in range(units):
            z = units + unit
            states = [0]
            for u, c in np.floor(sums[:, [unit, z]] + 0.5):
                c = min(max(c, 0), layer.candidate_max)
                states.append(max(states[-1] - max(-u, 0), c - max(u, 0), 0))
            carry = 0
            for t in reversed(range(steps)):
                carry += d_sequence[t, unit]
                u, c = sums[t, unit], sums[t, z]
                written = min(c, layer.candidate_max + 0.5) - max(u, 0)
                if states[t] - max(-u, 0) > max(written, 0):
                    d_sums = {unit: carry if u < 0 else 0}
                else:
                    carry = carry if written > 0 else 0
                    inside = c <= layer.candidate_max + 0.5
                    d_sums = {unit: -carry if u > 0 else 0, z: carry if inside else 0}
                    carry = 0
                for column, gradient in d_sums.items():
                    window = read[t : t + taps] - layer.input_zero_point
                    d_kernel[:, :, column] += window * gradient
                    d_bias[column] += gradient
    return d_kernel, d_bias


@pytest.mark.parametrize("bits", [(2, 3), (4, 5), (8, 16)])
@pytest.mark.parametrize("taps", [1, 3])
def test_gradients_are_those_of_a_plain_loop(taps, bits):
    import tensorflow as tf

    x = data((5, 9, 3), -1, 2)
    weight_bits, state_bits = bits
    aware = aware_model(
        x,
        ka.MinAddGRU(4, taps, return_sequences=True),
        weight_bits=weight_bits,
        state_bits=state_bits,
    )
    _, wrapper = aware.layers
    d_outputs = np.random.default_rng(3).integers(-3, 4, (5, 9, 4))
    weights = [wrapper.layer.kernel, wrapper.layer.bias]
    with tf.GradientTape() as tape:
        outputs = aware(x)
    gradients = tape.gradient(outputs, weights, tf.constant(d_outputs, "float32"))
    integers = ka.quantization.quantize(aware)
    inputs = integers.inputs.quantize(x)
    # From outputs to states and from weights to sums: the state's scale cancels out.
    d_kernel, d_bias = expected_gradients(integers.layers[0], inputs, d_outputs)
    np.testing.assert_allclose(gradients[0], d_kernel * integers.inputs.scale, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gradients[1], d_bias, rtol=1e-4, atol=1e-5)
    assert np.any(d_kernel) and np.any(d_bias)
