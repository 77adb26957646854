"""From real weights to `IntegerMinAddGRU`: errors are no more than half of the scales' steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addrnn import Quantization, reference, weight_quantization
from addrnn.quantization import StateQuantization

RESCALES = weight_quantization.RESCALES
ACTIVATIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "linear": lambda z: z,
    "hard_tanh": lambda z: np.clip(z, -1, 1),
}


def draw(seed, kernel_size, features, units, spread=0.0):
    """Weights whose columns differ in size by up to `10**spread`."""
    rng = np.random.default_rng(seed)
    columns = 2 * units
    sizes = 10 ** rng.uniform(-spread, spread, (2, columns))
    return (
        rng.standard_normal((kernel_size, features, columns)) * sizes[0],
        rng.standard_normal(columns) * sizes[1],
    )


def real_states(x, kernel, bias, activation="relu"):
    """The states `[B, T, H]` in float64, from the recurrence."""
    window, _, columns = kernel.shape
    padded = np.concatenate([np.zeros((len(x), window - 1, x.shape[2])), x], axis=1)
    state, states = np.zeros((len(x), columns // 2)), []
    for t in range(x.shape[1]):
        sums = np.einsum("bjd,jdc->bc", padded[:, t : t + window], kernel) + bias
        u, z = np.split(sums, 2, axis=1)
        q = np.maximum(ACTIVATIONS[activation](z) - np.maximum(u, 0), 0)
        state = np.maximum(state - np.maximum(-u, 0), q)
        states.append(state)
    return np.stack(states, axis=1)


def steps_of(layer, inputs):
    """The real steps of the kernel and of the accumulators, `[2 * H]`, from the definition."""
    factor = 1.0 if layer.multiplier is None else layer.multiplier.astype(float)
    unit = layer.state_scale * factor * 2.0 ** -layer.shift.astype(float)
    return unit / inputs.scale, unit


@pytest.mark.parametrize("rescale", RESCALES)
@pytest.mark.parametrize("weight_bits", [2, 3, 5, 8])
@pytest.mark.parametrize("kernel_size, features, units", [(1, 1, 1), (3, 3, 2), (2, 7, 5)])
@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_weights_are_within_their_steps(rescale, weight_bits, kernel_size, features, units, spread):
    kernel, bias = draw(0, kernel_size, features, units, spread)
    inputs = Quantization(8, 0.02, -30)
    layer = weight_quantization.min_add_gru(
        kernel,
        bias,
        activation="relu",
        inputs=inputs,
        state=StateQuantization.of_range(3.0, 16),
        weight_bits=weight_bits,
        rescale=rescale,
    )
    step, unit = steps_of(layer, inputs)
    greatest = 2 ** (weight_bits - 1) - 1
    inside = np.abs(kernel) <= greatest * step
    assert (np.abs(layer.kernel * step - kernel) <= step / 2 * (1 + 1e-6))[inside].all()
    assert (np.abs(layer.kernel) == greatest)[~inside].all()
    # At least as good as the plain choice: the finest power of two that clips nothing.
    plain = 2.0 ** np.ceil(np.log2(np.abs(kernel).max((0, 1)) / greatest / step)) * step
    plain_error = np.square(np.rint(kernel / plain) * plain - kernel).sum((0, 1))
    if spread == 0:
        error = np.square(layer.kernel * step - kernel).sum((0, 1))
        assert (error <= plain_error * (1 + 1e-6)).all()
    assert layer.input_zero_point == -30
    offset = 30 * layer.kernel.astype(int).sum((0, 1))
    matters = np.abs(bias) <= 3  # a larger one has the same effect
    bound = unit * (0.5 + 1e-6) + np.abs(bias) * 2.0**-22  # biases are float32
    assert (np.abs((layer.bias - offset) * unit - bias) <= bound)[matters].all()


@pytest.mark.parametrize("rescale", RESCALES)
@pytest.mark.parametrize("activation", ["relu", "linear", "hard_tanh"])
@pytest.mark.parametrize("bits", [(8, 8, 16), (16, 8, 16), (8, 4, 8), (3, 2, 4)])
@pytest.mark.parametrize("kernel_size", [1, 3])
def test_each_step_is_as_near_as_its_steps_allow(rescale, activation, bits, kernel_size):
    """An error of `u` or `c` is passed on once; what fades adds up over the steps."""
    input_bits, weight_bits, state_bits = bits
    kernel, bias = draw(1, kernel_size, 5, 4)
    x = np.random.default_rng(0).uniform(-1, 2, (20, 6, 5))
    inputs = Quantization.of_range(-1, 2, input_bits)
    state = StateQuantization.of_range(40.0, state_bits)  # so far that nothing saturates
    layer = weight_quantization.min_add_gru(
        kernel,
        bias,
        activation=activation,
        inputs=inputs,
        state=state,
        weight_bits=weight_bits,
        rescale=rescale,
    )
    step, unit = steps_of(layer, inputs)
    expected = real_states(
        inputs.dequantize(inputs.quantize(x)).astype(float), layer.kernel * step, bias, activation
    )
    got, _ = reference.run_layer(layer, inputs.quantize(x))
    assert expected.max() > 0.1
    error = np.abs(got * state.scale - expected).max((0, 2))
    # Rounding and bias of both halves, and a bound of the candidate that is rounded.
    once = state.scale + unit.max() + (activation == "hard_tanh") * state.scale / 2 + 1e-5
    assert (error <= once * np.arange(1, 7)).all()


def test_powers_of_two_are_exact():
    """With scales and weights that are powers of two, and none too small, nothing is rounded."""
    kernel = np.array([[[2.0, 0.25], [-1.0, 8.0]], [[0.5, 1.0], [1.0, -4.0]]])
    inputs, state = Quantization(8, 1 / 64, 5), StateQuantization(16, 1 / 256, 0, 2**15 - 1)
    x = np.random.default_rng(0).integers(-32, 32, (50, 9, 2)).astype(np.int8)
    layer = weight_quantization.min_add_gru(
        kernel, [1.0, -0.125], activation="relu", inputs=inputs, state=state, weight_bits=7
    )
    outputs, _ = reference.run_layer(layer, x)
    expected = real_states((x - 5.0) / 64, kernel, np.array([1.0, -0.125]))
    assert 1 < expected.max() < 127
    np.testing.assert_array_equal(outputs / 256, expected)


@pytest.mark.parametrize("zero_point", [-128, -3, 0, 127])
def test_padding_is_the_real_zero(zero_point):
    """A sequence gives what it gives behind zeros, wherever the inputs have their zero."""
    kernel, _ = draw(2, 4, 3, 5)
    bias = np.zeros(10)
    inputs = Quantization(8, 0.05, zero_point)
    layer = weight_quantization.min_add_gru(
        kernel,
        bias,
        activation="relu",
        inputs=inputs,
        state=StateQuantization.of_range(30.0, 16),
        weight_bits=8,
    )
    x = np.random.default_rng(0).integers(-128, 128, (4, 7, 3)).astype(np.int8)
    behind = np.concatenate([np.full((4, 3, 3), zero_point, np.int8), x], axis=1)
    expected, _ = reference.run_layer(layer, behind)
    assert not expected[:, :3].any()
    np.testing.assert_array_equal(reference.run_layer(layer, x)[0], expected[:, 3:])


def test_inputs_coarser_than_the_state_take_multipliers_of_powers_of_two():
    kernel, bias = draw(3, 2, 4, 3)
    layer = weight_quantization.min_add_gru(
        kernel,
        bias,
        activation="relu",
        inputs=Quantization(1, 1.0),
        state=StateQuantization.of_range(16.0, 16),
        weight_bits=4,
    )
    factor = layer.multiplier * 2.0 ** -layer.shift.astype(float)
    assert factor.max() > 1 and (np.log2(factor) == np.round(np.log2(factor))).all()
    x = np.random.default_rng(0).integers(-1, 1, (4, 7, 4)).astype(np.int8)
    step, unit = steps_of(layer, Quantization(1, 1.0))
    expected = real_states(x.astype(float), layer.kernel * step, layer.bias * unit)
    got, _ = reference.run_layer(layer, x)
    np.testing.assert_allclose(got * layer.state_scale, expected, atol=1e-9)


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    rescale=st.sampled_from(RESCALES),
    bits=st.tuples(st.integers(1, 16), st.integers(2, 8), st.integers(2, 16)),
    exponents=st.tuples(*[st.integers(-30, 12)] * 2),
    zeros=st.tuples(*[st.booleans()] * 2),
    scales=st.tuples(st.integers(-20, 20), st.integers(-10, 10)),
    kernel_size=st.integers(1, 4),
)
def test_any_weights_give_a_layer_or_a_clear_error(
    seed, rescale, bits, exponents, zeros, scales, kernel_size
):
    arrays = [
        array * 10.0**exponent * (not zero)
        for array, exponent, zero in zip(
            draw(seed, kernel_size, 4, 3, spread=1.0), exponents, zeros, strict=True
        )
    ]
    try:
        layer = weight_quantization.min_add_gru(
            *arrays,
            activation="relu",
            inputs=Quantization(bits[0], 2.0 ** scales[0], -1),
            state=StateQuantization.of_range(2.0 ** scales[1], bits[2]),
            weight_bits=bits[1],
            rescale=rescale,
        )
    except ValueError as error:
        assert "too large" in str(error)
        return
    low, high = layer.accumulator_range()
    assert low.min() >= -(2**31) and high.max() < 2**31


@pytest.mark.parametrize("rescale", RESCALES)
def test_zero_columns_and_no_bias(rescale):
    given = dict(
        activation="linear",
        inputs=Quantization(8, 0.1, 3),
        state=StateQuantization.of_range(2.0, 8),
        weight_bits=8,
        rescale=rescale,
    )
    kernel = np.zeros((2, 3, 4))
    layer = weight_quantization.min_add_gru(kernel, [0.5, 0.0, 1.5, -1.0], **given)
    outputs, _ = reference.run_layer(layer, np.full((1, 1, 3), 7, np.int8))
    np.testing.assert_allclose(outputs[0, 0] * layer.state_scale, [1.0, 0.0], atol=0.05)
    assert not weight_quantization.min_add_gru(kernel, None, **given).bias.any()


def test_hard_tanh_bounds_the_candidate():
    for largest, expected in ((2.0, 1.0), (0.5, 0.5)):
        layer = weight_quantization.min_add_gru(
            np.ones((1, 1, 2)),
            None,
            activation="hard_tanh",
            inputs=Quantization(8, 1.0),
            state=StateQuantization.of_range(largest, 8),
            weight_bits=8,
        )
        assert abs(layer.candidate_max * layer.state_scale - expected) <= layer.state_scale


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_what_is_not_finite(bad):
    kernel, bias = draw(0, 2, 2, 1)
    kernel[0, 0, 0] = bad
    with pytest.raises(ValueError, match="the kernel must hold finite.*Train the model anew"):
        weight_quantization.min_add_gru(
            kernel,
            bias,
            activation="relu",
            inputs=Quantization(8, 1.0),
            state=StateQuantization.of_range(1.0, 8),
            weight_bits=8,
        )
