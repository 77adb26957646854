"""The reference, and the vectors for all executors, against plain Python integers."""

import numpy as np
import pytest
from hypothesis import given, settings

from addrnn import reference
from tests import integer_problems as support
from tests import integer_reference
from tests.golden import integer as vectors

LAYERS = list(vectors.layer_cases())


@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.label)
def test_the_reference_still_gives_the_vectors(case):
    outputs, state = support.expected_layer(case.layer, case.inputs, case.initial_state, case.mask)
    np.testing.assert_array_equal(outputs, case.outputs)
    np.testing.assert_array_equal(state, case.state)


@settings(deadline=None, max_examples=150)
@given(call=support.layer_calls((1, 3), (0, 4), (1, 5), (1, 6)))
def test_agrees_with_the_reference(call):
    layer, inputs, state, mask = call
    outputs, last = reference.run_layer(layer, inputs, state, mask)
    expected, expected_last = support.expected_layer(layer, inputs, state, mask)
    np.testing.assert_array_equal(outputs, expected)
    np.testing.assert_array_equal(last, expected_last)
    assert outputs.size == 0 or outputs.min() >= -layer.state_shift
    assert outputs.size == 0 or outputs.max() <= layer.state_max


@pytest.mark.parametrize(
    "value, bits, expected",
    [
        (5, 1, 3),
        (-5, 1, -2),
        (-1, 1, 0),
        (6, 2, 2),
        (-6, 2, -1),
        (-7, 2, -2),
        (7, 0, 7),
        (2**30 - 1, 31, 0),
        (2**30, 31, 1),
        (2**62, 62, 1),
        (-(2**61), 62, 0),
        (-(2**61) - 1, 62, -1),
    ],
)
def test_a_half_goes_up(value, bits, expected):
    rounded = reference.round_shift(np.array([value], np.int64), np.array([bits], np.uint8))
    assert rounded.tolist() == [expected]


def test_one_step_by_hand():
    # Accumulators: u = 3 * 2 - (4 * 1 << 1) + 1 = -1, halved and a half up: 0. c = 5 + 4 + 0 = 9.
    layer = dict(
        kernel=[[2, 1]],
        recurrent_kernel=[[-1, 1]],
        bias=[1, 2],
        kernel_shift=[0, 0],
        recurrent_shift=[1, 0],
        multiplier=None,
        shift=[1, 0],
        state_shift=0,
        state_max=12,
        candidate_min=0,
        candidate_max=12,
        go_backwards=False,
    )
    assert integer_reference.gate(layer, [3], [4], 0) == 0
    assert integer_reference.gate(layer, [3], [4], 1) == 9
    assert integer_reference.step(layer, [3], [4]) == [12]  # 4 + 9, clipped


def test_the_vectors_are_worth_their_name():
    """They reach both ends of the state, what lies between, and exact halves below zero."""
    low = high = between = halves = 0
    for case in LAYERS:
        layer = case.layer
        low += (case.outputs == -layer.state_shift).sum() if layer.state_shift else 0
        high += (case.outputs == layer.state_max).sum()
        between += ((case.outputs > 0) & (case.outputs < layer.state_max)).sum()
        sums = (case.inputs[:, 0].astype(np.int64) @ layer.kernel) << layer.kernel_shift
        if case.initial_state is not None:
            recurrent = case.initial_state.astype(np.int64) @ layer.recurrent_kernel
            sums = sums + (recurrent << layer.recurrent_shift)
        sums = (sums + layer.bias) * (1 if layer.multiplier is None else layer.multiplier)
        divisor = np.int64(1) << layer.shift.astype(np.int64)
        halves += ((sums < 0) & (divisor > 1) & (sums % divisor * 2 == divisor)).sum()
    assert min(low, high, between, halves) >= 100, (low, high, between, halves)
