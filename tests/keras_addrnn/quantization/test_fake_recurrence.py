"""The recurrences on floats that hold integers: the reference's values, and gradients."""

import keras
import numpy as np
import pytest

from addrnn import reference
from addrnn.layers import IntegerAddGRU, IntegerMinAddGRU
from keras_addrnn.quantization._fake_recurrence import fading_recurrence, recurrence
from tests.backends import to_numpy
from tests.support import MASKS, make_kink_problem, make_mask

SIZES = [(1, 1, 1, 1), (3, 5, 2, 7), (2, 17, 3, 8)]
RELU = {"state_shift": 0, "state_max": 10**6, "candidate_min": 0, "candidate_max": 10**6}
LINEAR = {**RELU, "state_shift": 1, "candidate_min": -1}


def time_first(mask):
    return None if mask is None else mask.T[..., None].astype("float32")


@pytest.mark.backend_neutral
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("mask", MASKS)
def test_values_are_those_of_the_reference(sizes, mask):
    batch, steps, features, units = sizes
    rng = np.random.default_rng(0)
    mask = make_mask(mask, batch, steps, rng)
    bounds = {"state_shift": 2, "state_max": 5, "candidate_min": -2, "candidate_max": 4}
    layer = IntegerAddGRU(
        kernel=rng.integers(-7, 8, (features, 2 * units)),
        recurrent_kernel=rng.integers(-7, 8, (units, 2 * units)),
        bias=rng.integers(-30, 30, 2 * units),
        kernel_shift=rng.integers(0, 3, 2 * units),
        recurrent_shift=rng.integers(0, 3, 2 * units),
        shift=rng.integers(0, 5, 2 * units),
        input_bits=4,
        weight_bits=4,
        state_bits=4,
        state_scale=1.0,
        **bounds,
    )
    inputs = rng.integers(-8, 8, (batch, steps, features))
    expected, _ = reference.run_layer(layer, inputs, mask=mask)

    unit = np.ldexp(1.0, -layer.shift.astype(int))
    sums = (inputs @ layer.kernel.astype(int) << layer.kernel_shift) + layer.bias
    recurrent = layer.recurrent_kernel * np.ldexp(unit, layer.recurrent_shift)
    mask = time_first(mask)
    states = recurrence(
        keras.ops.convert_to_tensor((sums * unit).swapaxes(0, 1).astype("float32")),
        keras.ops.convert_to_tensor(recurrent.astype("float32")),
        mask if mask is None else keras.ops.convert_to_tensor(mask),
        **bounds,
    )
    np.testing.assert_array_equal(to_numpy(states).swapaxes(0, 1), expected)


def gradients(projected, recurrent_kernel, upstream, mask=None, **bounds):
    import tensorflow as tf

    tensors = [tf.constant(array, tf.float32) for array in (projected, recurrent_kernel)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        states = recurrence(*tensors, mask, **bounds)
    result = tape.gradient(states, tensors, tf.constant(upstream, tf.float32))
    return to_numpy(states), [to_numpy(gradient) for gradient in result]


@pytest.mark.parametrize("bounds", [RELU, LINEAR], ids=["relu", "linear"])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("mask", MASKS)
def test_at_whole_sums_gradients_are_those_of_the_float_recurrence(bounds, sizes, mask):
    problem = make_kink_problem(
        1,
        sizes,
        mask=mask,
        activation="linear" if bounds["state_shift"] else "relu",
        state_shift=float(bounds["state_shift"]),
    )
    # Few steps, and small weights: nothing saturates, and no product leaves float32.
    keep = slice(0, 5)
    problem = problem.but(
        inputs=problem.inputs[:, keep],
        mask=None if problem.mask is None else problem.mask[:, keep],
        d_outputs=problem.d_outputs[:, keep],
        d_state=np.zeros_like(problem.d_state),
        initial_state=np.zeros_like(problem.initial_state),
    )
    expected = problem.expected_gradients()
    projected = (problem.inputs @ problem.kernel + problem.bias).swapaxes(0, 1)
    states, (d_projected, d_recurrent) = gradients(
        projected,
        problem.recurrent_kernel,
        problem.d_outputs.swapaxes(0, 1),
        time_first(problem.mask),
        **bounds,
    )
    np.testing.assert_array_equal(states.swapaxes(0, 1), problem.expected()["outputs"])
    np.testing.assert_array_equal(d_recurrent, expected["recurrent_kernel"])
    np.testing.assert_array_equal(d_projected.sum((0, 1)), expected["bias"])
    np.testing.assert_array_equal(
        np.einsum("tbc,btd->dc", d_projected, problem.inputs), expected["kernel"]
    )


# One unit: one step from a state of 0, or two, from what the first has written; the state is from
# 0 to 7. What u and z are before rounding, and the gradients of u and z in the last step, by hand.
@pytest.mark.parametrize(
    "sums, state, d_sums",
    [
        ([(-0.3, 2.6)], 3, (0, 1)),  # nothing is kept: u has no effect, z passes
        ([(0.4, 2.6)], 3, (-1, 1)),  # u rounds to 0, but a little more of it would write less
        ([(2.4, 2.6)], 1, (-1, 1)),
        ([(3.0, 2.6)], 0, (0, 0)),  # nothing is written
        ([(0.0, 7.4)], 7, (0, 1)),  # rounds to the bound
        ([(0.0, 7.6)], 7, (0, 0)),  # beyond it
        ([(0.0, 3.0), (-1.2, 2.0)], 4, (1, 1)),  # 3 - 1 kept, 2 written
        ([(0.0, 3.0), (-3.4, 2.0)], 2, (0, 1)),  # nothing is kept
        ([(0.0, 5.0), (0.0, 2.4)], 7, (0, 1)),
        ([(0.0, 5.0), (0.0, 2.6)], 7, (0, 0)),  # 8 is clipped: the state saturates
        ([(0.0, 5.0), (9.0, 2.6)], 5, (0, 0)),  # all is kept
    ],
)
def test_the_straight_through_rule_by_hand(sums, state, d_sums):
    projected = np.array(sums)[:, None, :]
    upstream = np.zeros((len(sums), 1, 1))
    upstream[-1] = 1
    bounds = {"state_shift": 0, "state_max": 7, "candidate_min": 0, "candidate_max": 7}
    states, (d_projected, _) = gradients(projected, np.zeros((1, 2)), upstream, **bounds)
    assert states[-1, 0, 0] == state
    assert tuple(d_projected[-1, 0]) == d_sums


@pytest.mark.backend_neutral
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("mask", MASKS)
def test_fading_values_are_those_of_the_reference(sizes, mask):
    batch, steps, features, units = sizes
    rng = np.random.default_rng(0)
    mask = make_mask(mask, batch, steps, rng)
    layer = IntegerMinAddGRU(
        kernel=rng.integers(-7, 8, (1, features, 2 * units)),
        bias=rng.integers(-30, 30, 2 * units),
        shift=rng.integers(0, 5, 2 * units),
        state_max=7,
        candidate_max=6,
        input_bits=4,
        weight_bits=4,
        state_bits=4,
        state_scale=1.0,
    )
    inputs = rng.integers(-8, 8, (batch, steps, features))
    expected, _ = reference.run_layer(layer, inputs, mask=mask)
    sums = np.ldexp(inputs @ layer.kernel[0].astype(int) + layer.bias, -layer.shift.astype(int))
    states = fading_recurrence(
        keras.ops.convert_to_tensor(sums.astype("float32")),
        None if mask is None else keras.ops.convert_to_tensor(mask.copy()),
        candidate_max=layer.candidate_max,
    )
    np.testing.assert_array_equal(to_numpy(states), expected)


def fading_gradient(sums, upstream, mask=None, **bounds):
    """The states, and the gradient of the sums, in each backend's own way."""
    sums, upstream = (keras.ops.array(array, "float32") for array in (sums, upstream))
    mask = None if mask is None else keras.ops.convert_to_tensor(mask.copy())

    def run(sums):
        return fading_recurrence(sums, mask, **bounds)

    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        states, backward = jax.vjp(jax.jit(run), sums)
        (d_sums,) = backward(upstream)
    elif backend == "torch":
        states = run(sums.requires_grad_())
        states.backward(upstream)
        d_sums = sums.grad
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(sums)
            states = run(sums)
        d_sums = tape.gradient(states, sums, upstream)
    return to_numpy(states), to_numpy(d_sums)


def expected_fading_gradient(sums, upstream, mask, candidate_max):
    """The rule of one unit of one sequence, step by step: states, and the gradient of the sums."""
    state, states, d_sums = 0, [], np.zeros((len(sums), 2))
    for (u, c), runs in zip(np.floor(sums + 0.5), mask, strict=True):
        if runs:
            written = min(max(c, 0), candidate_max) - max(u, 0)
            state = max(state - max(-u, 0), written, 0)
        states.append(state)
    carry = 0
    for t in reversed(range(len(sums))):
        carry += upstream[t]
        if not mask[t]:
            continue
        (u, c), before = sums[t], states[t - 1] if t else 0
        written = min(c, candidate_max + 0.5) - max(u, 0)
        if before - max(-u, 0) > max(written, 0):
            d_sums[t, 0] = carry if u < 0 else 0
            continue
        if written > 0:
            d_sums[t] = (-carry if u > 0 else 0), (carry if c <= candidate_max + 0.5 else 0)
        carry = 0
    return states, d_sums


@pytest.mark.backend_neutral
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("mask", MASKS)
def test_fading_gradients_are_those_of_a_plain_loop(sizes, mask):
    batch, steps, _, units = sizes
    rng = np.random.default_rng(2)
    mask = make_mask(mask, batch, steps, rng)
    # Eighths, exact in float32, which meet kinks and halves often.
    update, candidate = rng.integers(-20, 16, (2, batch, steps, units)) / 8 + [[[[0]]], [[[2]]]]
    upstream = rng.integers(-3, 4, (batch, steps, units))
    sums = np.concatenate([update, candidate], axis=-1)
    states, d_sums = fading_gradient(sums, upstream, mask, candidate_max=3)
    runs = np.ones((batch, steps), bool) if mask is None else mask
    for row in range(batch):
        for unit in range(units):
            columns = [unit, units + unit]
            wanted, d_wanted = expected_fading_gradient(
                sums[row][:, columns], upstream[row, :, unit], runs[row], candidate_max=3
            )
            np.testing.assert_array_equal(states[row, :, unit], wanted)
            np.testing.assert_array_equal(d_sums[row][:, columns], d_wanted)


# As above: one unit, and the gradients in the last step, by hand.
@pytest.mark.backend_neutral
@pytest.mark.parametrize(
    "sums, state, d_sums",
    [
        ([(-0.3, 2.6)], 3, (0, 1)),  # nothing to keep: u has no effect, z passes
        ([(0.4, 2.6)], 3, (-1, 1)),  # u rounds to 0, but a little more of it would write less
        ([(3.0, 2.6)], 0, (0, 0)),  # nothing is written
        ([(0.0, 7.4)], 7, (0, 1)),  # rounds to the bound
        ([(0.0, 7.6)], 7, (0, 0)),  # beyond it
        ([(1.4, 7.6)], 6, (-1, 0)),
        ([(0.0, 3.0), (-1.2, 1.0)], 2, (1, 0)),  # kept, faded by 1
        ([(0.0, 3.0), (-0.4, 2.8)], 3, (0, 1)),  # both are 3: a little less is kept than written
        ([(0.0, 3.0), (-0.4, 2.55)], 3, (1, 0)),  # and a little more
        ([(0.0, 3.0), (0.0, 3.0)], 3, (0, 1)),
        ([(0.0, 3.0), (0.0, -2.0)], 3, (0, 0)),  # all is kept
        ([(0.0, 3.0), (-9.0, 0.0)], 0, (0, 0)),  # all fades
    ],
)
def test_the_fading_rule_by_hand(sums, state, d_sums):
    upstream = np.zeros((1, len(sums), 1))
    upstream[0, -1] = 1
    states, gradient = fading_gradient(np.array(sums)[None], upstream, candidate_max=7)
    assert states[0, -1, 0] == state
    assert tuple(gradient[0, -1]) == d_sums


@pytest.mark.backend_neutral
def test_masked_steps_pass_the_gradient_of_a_state_that_rounds_to_0():
    sums, mask = np.array([[(0.0, 0.3), (-5.0, 5.0)]]), np.array([[True, False]])
    states, gradient = fading_gradient(sums, [[[0.0], [1.0]]], mask, candidate_max=7)
    assert not states.any()
    assert gradient.tolist() == [[[0, 1], [0, 0]]]
