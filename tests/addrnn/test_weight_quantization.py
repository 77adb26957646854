"""From real weights to integer layers: the errors are no more than half of the scales' steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addrnn import Quantization, _quantized_weights, reference, weight_quantization
from addrnn.quantization import StateQuantization
from tests import reference as float_reference

RESCALES = weight_quantization.RESCALES
DIMENSIONS = [(1, 1), (3, 2), (7, 5)]


def draw(seed, features, units, spread=0.0):
    """Weights whose columns differ in size by up to `10**spread`."""
    rng = np.random.default_rng(seed)
    columns = 2 * units
    sizes = 10 ** rng.uniform(-spread, spread, (3, columns))
    return (
        rng.standard_normal((features, columns)) * sizes[0],
        rng.standard_normal((units, columns)) * sizes[1] / units,
        rng.standard_normal(columns) * sizes[2],
    )


def steps_of(layer, inputs):
    """The real steps of both kernels and of the accumulators, `[2 * H]`, from the definition."""
    factor = 1.0 if layer.multiplier is None else layer.multiplier.astype(float)
    unit = layer.state_scale * factor * 2.0 ** -layer.shift.astype(float)
    return (
        unit * 2.0**layer.kernel_shift / inputs.scale,
        unit * 2.0**layer.recurrent_shift / layer.state_scale,
        unit,
    )


@pytest.mark.parametrize("rescale", RESCALES)
@pytest.mark.parametrize("weight_bits", [2, 3, 5, 8])
@pytest.mark.parametrize("features, units", DIMENSIONS)
@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_weights_are_within_their_steps(rescale, weight_bits, features, units, spread):
    kernel, recurrent_kernel, bias = draw(0, features, units, spread)
    inputs = Quantization(8, 0.02, -30)
    layer = weight_quantization.add_gru(
        kernel,
        recurrent_kernel,
        bias,
        activation="relu",
        inputs=inputs,
        state=StateQuantization.of_range(3.0, 16),
        weight_bits=weight_bits,
        rescale=rescale,
    )
    kernel_step, recurrent_step, unit = steps_of(layer, inputs)
    greatest = 2 ** (weight_bits - 1) - 1
    for real, integers, step in (
        (kernel, layer.kernel, kernel_step),
        (recurrent_kernel, layer.recurrent_kernel, recurrent_step),
    ):
        inside = np.abs(real) <= greatest * step
        assert (np.abs(integers * step - real) <= step / 2 * (1 + 1e-6))[inside].all()
        assert (np.abs(integers) == greatest)[~inside].all()
        # At least as good as the plain choice: the finest power of two that clips nothing.
        plain = 2.0 ** np.ceil(np.log2(np.abs(real).max(0) / greatest / step)) * step
        plain_error = np.square(np.rint(real / plain) * plain - real).sum(0)
        error = np.square(integers * step - real).sum(0)
        if spread == 0:
            assert (error <= plain_error * (1 + 1e-6)).all()
    offset = -inputs.zero_point * layer.kernel.astype(int).sum(0) * 2.0**layer.kernel_shift
    # A larger one has the same effect: the state ends at 3.
    matters = np.abs(bias) <= 3
    bound = unit * (0.5 + 1e-6) + np.abs(bias) * 2.0**-22  # biases are float32
    assert (np.abs((layer.bias - offset) * unit - bias) <= bound)[matters].all()


@pytest.mark.parametrize("rescale", RESCALES)
@pytest.mark.parametrize(
    "activation, state_shift, state_max",
    [("relu", 0.0, None), ("linear", 0.5, None), ("hard_tanh", 1.0, 1.0), ("relu", 0.0, 1.5)],
)
@pytest.mark.parametrize("bits", [(8, 8, 16), (16, 8, 16), (8, 4, 8), (3, 2, 4)])
def test_one_step_is_as_near_as_its_steps_allow(rescale, activation, state_shift, state_max, bits):
    """Half a step of each weight times what it meets, of each input, the bias and the rounding."""
    input_bits, weight_bits, state_bits = bits
    rng = np.random.default_rng(0)
    kernel, recurrent_kernel, bias = draw(1, 5, 4)
    x, h = rng.uniform(-1, 1, (20, 5)), rng.uniform(-state_shift, 1.5, (20, 4))
    if state_max is not None:
        h = np.minimum(h, state_max)
    inputs = Quantization.of_range(x.min(), x.max(), input_bits)
    # So far that the candidate does not saturate: what saturates is another test's.
    reach = state_max or np.abs(x @ kernel + h @ recurrent_kernel + bias).max() + h.max()
    if state_max is not None and activation == "relu":  # c <= state_max too
        kernel, bias = kernel / 8, bias / 8
        recurrent_kernel = recurrent_kernel / 8
    state = StateQuantization.of_range(reach, state_bits, state_shift, state_max)
    layer = weight_quantization.add_gru(
        kernel,
        recurrent_kernel,
        bias,
        activation=activation,
        inputs=inputs,
        state=state,
        weight_bits=weight_bits,
        rescale=rescale,
    )
    # The weights and the first state as the integers have them, which other tests are about.
    kernel_step, recurrent_step, unit = steps_of(layer, inputs)
    integers = np.clip(np.rint(h / state.scale), -state.shift, state.max).astype(np.int64)
    expected = float_reference.add_gru(
        inputs.dequantize(inputs.quantize(x)).astype(float)[:, None],
        layer.kernel * kernel_step,
        layer.recurrent_kernel * recurrent_step,
        bias,
        integers * state.scale,
        activation=activation,
        state_shift=state_shift,
        state_max=state_max,
    )["state"]
    got = reference.step(layer, inputs.quantize(x).astype(np.int64), integers) * state.scale
    # The gate passes on an error of u at most once, one of c once; the shift counts three times and
    # the bounds once, each half a step wrong; u and c are wrong by half a step and by the bias's.
    bound = 0.5 + 0.5 + 0.5 * (4 * (state_shift > 0) + (activation == "hard_tanh") + 1)
    bound = bound * state.scale + 2 * unit.max() + 1e-5
    assert np.abs(got - expected).max() <= bound


@pytest.mark.parametrize("bits", [2, 3, 8, 16])
@pytest.mark.parametrize("largest", [1e-6, 0.7, 1.0, 300.0])
@pytest.mark.parametrize("shift", [0.0, 0.25, 5.0])
@pytest.mark.parametrize("state_max", [None, 0.0, 0.5, 1e6])
def test_state_ranges(bits, largest, shift, state_max):
    state = StateQuantization.of_range(largest, bits, shift, state_max)
    top = 2 ** (bits - 1) - 1
    assert 0 <= state.shift <= top and 0 <= state.max <= top - state.shift
    assert abs(state.shift * state.scale - shift) <= state.scale / 2 * (1 + 1e-9)
    reach = min(largest, np.inf if state_max is None else state_max)
    assert abs(state.max * state.scale - reach) <= state.scale * (1 + 1e-9) or state_max == 1e6


def test_input_ranges():
    assert Quantization.of_range(0, 255, 8) == Quantization(8, 1.0, -128)
    assert Quantization.of_range(0, 0, 8) == Quantization(8, 1.0, 0)
    for low, high in ((0.25, 2.0), (-3.0, -1.0), (-0.1, 5.0), (-1e-9, 1e9)):
        for bits in (1, 2, 8, 16):
            quantization = Quantization.of_range(low, high, bits)
            assert quantization.dequantize(quantization.quantize(0.0)) == 0
            ends = quantization.dequantize(quantization.quantize([min(low, 0), max(high, 0)]))
            assert (np.abs(ends - [min(low, 0), max(high, 0)]) <= quantization.scale * 0.51).all()


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    rescale=st.sampled_from(RESCALES),
    bits=st.tuples(st.integers(1, 16), st.integers(2, 8), st.integers(2, 16)),
    exponents=st.tuples(*[st.integers(-30, 12)] * 3),
    zeros=st.tuples(*[st.booleans()] * 3),
    scales=st.tuples(st.integers(-20, 20), st.integers(-10, 10)),
)
def test_any_weights_give_a_layer_or_a_clear_error(seed, rescale, bits, exponents, zeros, scales):
    arrays = draw(seed, 4, 3, spread=1.0)
    arrays = [
        array * 10.0**exponent * (not zero)
        for array, exponent, zero in zip(arrays, exponents, zeros, strict=True)
    ]
    state = StateQuantization.of_range(2.0 ** scales[1], bits[2])
    try:
        layer = weight_quantization.add_gru(
            *arrays,
            activation="relu",
            inputs=Quantization(bits[0], 2.0 ** scales[0], -1),
            state=state,
            weight_bits=bits[1],
            rescale=rescale,
        )
    except ValueError as error:
        assert "too large" in str(error)
        return
    low, high = layer.accumulator_range()
    assert low.min() >= -(2**31) and high.max() < 2**31


@pytest.mark.parametrize("rescale", RESCALES)
def test_zero_columns(rescale):
    layer = weight_quantization.add_gru(
        np.zeros((3, 4)),
        np.zeros((2, 4)),
        [0.5, 0.0, 1.0, -1.0],
        activation="linear",
        inputs=Quantization(8, 0.1, 3),
        state=StateQuantization.of_range(2.0, 8, 1.0),
        weight_bits=8,
        rescale=rescale,
    )
    outputs, _ = reference.run_layer(layer, np.full((1, 1, 3), 7, np.int8))
    # h = max(0 + 1, 0) + max(1 + 1 - 0.5, 0) - 1 and max(0 + 1, 0) + max(-1 + 1, 0) - 1
    np.testing.assert_allclose(outputs[0, 0] * layer.state_scale, [1.5, 0.0], atol=0.05)


def test_powers_of_two_are_exact():
    """With scales and weights that are powers of two, and none too small, nothing is rounded."""
    kernel = np.array([[2.0, 0.25], [-1.0, 8.0]])
    recurrent_kernel = np.array([[1.0, -4.0]])
    inputs, state = Quantization(8, 1 / 64, 5), StateQuantization(16, 1 / 256, 0, 2**15 - 1)
    layer = weight_quantization.add_gru(
        kernel,
        recurrent_kernel,
        [1.0, -0.125],
        activation="relu",
        inputs=inputs,
        state=state,
        weight_bits=7,
    )
    x = np.random.default_rng(0).integers(-32, 32, (50, 9, 2))
    outputs, _ = reference.run_layer(layer, x.astype(np.int8))
    expected = float_reference.add_gru((x - 5) / 64, kernel, recurrent_kernel, [1.0, -0.125])[
        "outputs"
    ]
    assert 1 < expected.max() < 127
    np.testing.assert_array_equal(outputs / 256, expected)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_dense(bits):
    rng = np.random.default_rng(0)
    kernel, bias = rng.standard_normal((6, 4)), rng.standard_normal(4)
    inputs = Quantization(16, 1e-3)
    layer = weight_quantization.dense(kernel, bias, inputs=inputs, weight_bits=bits)
    step = layer.scale / inputs.scale
    greatest = 2 ** (bits - 1) - 1
    inside = np.abs(kernel) <= greatest * step
    assert (np.abs(layer.kernel * step - kernel) <= step / 2 * (1 + 1e-9))[inside].all()
    assert (np.abs(layer.kernel) == greatest)[~inside].all()
    assert np.abs(layer.bias * layer.scale - bias).max() <= layer.scale / 2 * (1 + 1e-9)
    # The step that clips no weight, in float32 and by the reciprocal, as the search rounds it.
    largest = np.abs(kernel).max().astype(np.float32) * np.float32(1 / greatest)
    plain = np.square(np.rint(kernel / largest) * largest - kernel).sum()
    assert np.square(layer.kernel * step - kernel).sum() <= plain * (1 + 1e-9)


def test_dense_of_zeros_and_of_large_biases():
    assert (
        weight_quantization.dense(
            np.zeros((2, 3)), None, inputs=Quantization(8, 0.1), weight_bits=8
        ).scale
        > 0
    )
    for kernel, bias in ((np.zeros((2, 2)), [3.0, -1.0]), (np.full((2, 2), 1e-9), [1e6, 0.0])):
        layer = weight_quantization.dense(
            kernel, bias, inputs=Quantization(16, 1e-3), weight_bits=8
        )
        np.testing.assert_allclose(layer.bias * layer.scale, bias, rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_what_is_not_finite(bad):
    kernel, recurrent_kernel, bias = draw(0, 2, 1)
    kernel[0, 0] = bad
    with pytest.raises(ValueError, match="the kernel must hold finite.*Train the model anew"):
        weight_quantization.add_gru(
            kernel,
            recurrent_kernel,
            bias,
            activation="relu",
            inputs=Quantization(8, 1.0),
            state=StateQuantization.of_range(1.0, 8),
            weight_bits=8,
        )


def test_weights_too_large_to_be_rescaled_are_refused():
    with pytest.raises(ValueError, match="column 1 are too large.*Train with weight decay"):
        _quantized_weights._fixed_point("add_gru", np.array([1.0, 2.0**32]))
