"""The reference of `IntegerMinAddGRU`, its vectors, and that its steps compose in any order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addrnn import reference
from tests import integer_problems as support
from tests import integer_reference
from tests.golden import integer as vectors
from tests.min_integer_problems import draw_min_layer, min_layer_calls

LAYERS = list(vectors.layer_cases(vectors.MIN_LAYER_GROUPS))


@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.label)
def test_the_reference_still_gives_the_vectors(case):
    outputs, state = support.expected_layer(
        case.layer,
        case.inputs,
        case.initial_state,
        case.mask,
        initial_inputs=case.initial_inputs,
    )
    np.testing.assert_array_equal(outputs, case.outputs)
    np.testing.assert_array_equal(state, case.state)


@settings(deadline=None, max_examples=150)
@given(call=min_layer_calls((1, 3), (0, 5), (1, 5), (1, 6)))
def test_agrees_with_the_reference(call):
    layer, inputs, state, mask, before = call
    outputs, last = reference.run_min_add_gru(layer, inputs, state, mask, before)
    expected, expected_last = support.expected_layer(
        layer, inputs, state, mask, initial_inputs=before
    )
    np.testing.assert_array_equal(outputs, expected)
    np.testing.assert_array_equal(last, expected_last)
    assert outputs.size == 0 or (outputs.min() >= 0 and outputs.max() <= layer.state_max)


def test_a_window_by_hand():
    """One feature, one unit: `u` is the sum of both inputs, less 4, and `z` the last input."""
    layer = dict(
        kernel=[[[1, 0]], [[1, 1]]],
        bias=[-4, 0],
        multiplier=None,
        shift=[0, 0],
        state_max=50,
        candidate_max=20,
        input_zero_point=1,
        go_backwards=False,
    )

    def states(*inputs, **more):
        outputs, _ = integer_reference.run_min_layer(layer, [[[x] for x in inputs]], **more)
        return [state for (state,) in outputs[0]]

    # u = 1 + 2 - 4 = -1, q = 2; u = 2 + 3 - 4 = 1, q = 3 - 1; u = 3 - 3 - 4 = -4; the window
    # reads 1 in place of the 9; at the end c is 20, and u = 1 + 30 - 4 leaves none of it.
    assert states(2, 3, -3) == [2, 2, 0]
    assert states(2, 9, -3, mask=[[True, False, True]]) == [2, 2, 0]
    assert states(2, 30, -40) == [2, 2, 0]
    assert states(30, initial_state=[[50]]) == [50]
    assert states(-40, 30, initial_state=[[50]]) == [7, 20]
    assert states(0, initial_state=[[50]], initial_inputs=[[[-6]]]) == [40]
    layer["go_backwards"] = True
    assert states(3, 2) == [2, 2]


def compose(first, second):
    """Two steps `h -> max(h - a, q)`, one after the other, as one."""
    (a1, q1), (a2, q2) = first, second
    return a1 + a2, np.maximum(q1 - a2, q2)


def compose_all(steps, rng):
    """All steps as one, by a random tree of compositions."""
    steps = list(steps)
    while len(steps) > 1:
        at = int(rng.integers(len(steps) - 1))
        steps[at : at + 2] = [compose(steps[at], steps[at + 1])]
    return steps[0]


@settings(deadline=None, max_examples=60)
@given(
    call=min_layer_calls((1, 2), (1, 9), (1, 3), (1, 5)),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_steps_compose_in_any_order(call, seed):
    layer, inputs, state, mask, before = call
    rng = np.random.default_rng(seed)
    if state is None:
        state = support.draw_state(rng, len(inputs), layer)
    expected, _ = reference.run_min_add_gru(layer, inputs, state, mask, before)
    fades, writes = reference.min_add_gru_steps(layer, inputs, mask, before)
    assert fades.dtype == writes.dtype == np.int64
    steps = [(fades[:, t], writes[:, t]) for t in range(inputs.shape[1])]
    for t in range(len(steps)):
        fade, write = compose_all(steps[: t + 1], rng)
        np.testing.assert_array_equal(np.maximum(state - fade, write), expected[:, t])


def test_a_scan_of_a_long_sequence():
    """In rounds of twice the distance, over a thousand steps, most of which fade."""
    rng = np.random.default_rng(0)
    layer = draw_min_layer(rng, 2, 8, kind="saturating", state_bits=16)
    inputs = support.draw_inputs(rng, 2, 1000, 2, 8)
    state = support.draw_state(rng, 2, layer)
    fades, writes = reference.min_add_gru_steps(layer, inputs)
    distance = 1
    while distance < 1000:
        earlier = fades[:, :-distance], writes[:, :-distance]
        here = fades[:, distance:], writes[:, distance:]
        a, q = compose(earlier, here)
        fades = np.concatenate([fades[:, :distance], a], axis=1)
        writes = np.concatenate([writes[:, :distance], q], axis=1)
        distance *= 2
    expected, _ = reference.run_layer(layer, inputs, state)
    np.testing.assert_array_equal(np.maximum(state[:, None] - fades, writes), expected)


def test_no_step_changes_no_state_and_takes_either_side():
    rng = np.random.default_rng(0)
    step = rng.integers(0, 100, (2, 7))
    nothing = np.zeros((2, 7), int)
    for both in (compose(step, nothing), compose(nothing, step)):
        np.testing.assert_array_equal(both, step)


def test_parts_of_a_sequence_follow_one_another():
    rng = np.random.default_rng(1)
    layer = draw_min_layer(rng, 3, 5, kernel_size=4)
    inputs = support.draw_inputs(rng, 2, 11, 3, 8)
    expected, last = reference.run_layer(layer, inputs)
    before = np.full((2, 3, 3), layer.input_zero_point, np.int8)
    state = np.zeros((2, 5), np.int16)
    for begin, end in ((0, 1), (1, 6), (6, 6), (6, 8), (8, 11)):
        part = inputs[:, begin:end]
        outputs, state = reference.run_min_add_gru(layer, part, state, initial_inputs=before)
        np.testing.assert_array_equal(outputs, expected[:, begin:end])
        before = np.concatenate([before, part], axis=1)[:, -3:]
    np.testing.assert_array_equal(state, last)


def test_the_vectors_are_worth_their_name():
    """They reach both ends of the state and what lies between, fade, write, and keep."""
    high = zero = between = faded = written = kept = 0
    for case in LAYERS:
        high += (case.outputs == case.layer.state_max).sum()
        zero += (case.outputs == 0).sum()
        between += ((case.outputs > 0) & (case.outputs < case.layer.state_max)).sum()
        change = np.diff(case.outputs.astype(int), axis=1)
        faded += (change < 0).sum()
        written += (change > 0).sum()
        kept += ((change == 0) & (case.outputs[:, 1:] > 0)).sum()
    counts = high, zero, between, faded, written, kept
    assert min(counts) >= 100, counts
