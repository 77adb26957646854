"""`IntegerMinAddGRU` in the compiled core against the reference, bit for bit."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings

from addrnn import executor, reference
from tests import integer_problems as support
from tests.min_integer_problems import draw_min_layer, min_layer_calls
from tests.support import needs_core

pytestmark = needs_core


@settings(deadline=None, max_examples=300)
@given(call=min_layer_calls((0, 5), (0, 6), (1, 7), (1, 9)))
def test_agrees_with_the_reference(call):
    layer, inputs, state, mask, before = call
    outputs, last = executor.run_min_add_gru(layer, inputs, state, mask, before)
    expected, expected_last = support.expected_layer(
        layer, inputs, state, mask, initial_inputs=before
    )
    assert outputs.dtype == last.dtype == np.int16
    np.testing.assert_array_equal(outputs, expected)
    np.testing.assert_array_equal(last, expected_last)


@pytest.mark.parametrize("units", [64, 127, 130])
@pytest.mark.parametrize("kind", support.KINDS)
def test_many_units_agree_with_the_reference(units, kind):
    rng = np.random.default_rng(units)
    layer = draw_min_layer(rng, 33, units, kind=kind, state_bits=12)
    for batch in (1, 6, 37):
        inputs = support.draw_inputs(rng, batch, 40, 33, 8, kind)
        state = support.draw_state(rng, batch, layer, kind)
        mask = rng.random((batch, 40)) < 0.7
        expected = reference.run_layer(layer, inputs, state, mask)
        for answer, value in zip(
            executor.run_layer(layer, inputs, state, mask), expected, strict=True
        ):
            np.testing.assert_array_equal(answer, value)


def test_bad_input_is_refused():
    layer = draw_min_layer(np.random.default_rng(0), 3, 4, input_bits=6, state_bits=10)
    inputs = np.zeros((2, 5, 3), np.int8)
    run = executor.run_min_add_gru
    with pytest.raises(
        ValueError, match="`inputs` must hold values from -32 to 31. Received: from 0 to 32"
    ):
        run(layer, inputs + 32 * (np.arange(3) == 1))
    with pytest.raises(ValueError, match="`initial_inputs` must hold values from -32 to 31"):
        run(layer, inputs, initial_inputs=np.full((2, 2, 3), 32))
    with pytest.raises(ValueError, match="`initial_state` must hold values from 0 to"):
        run(layer, inputs, np.full((2, 4), -1))
    for wrong in (inputs[0], inputs[..., :2]):
        with pytest.raises(ValueError, match="inputs must be of shape"):
            run(layer, wrong)
    with pytest.raises(ValueError, match=r"initial_state must be of shape \[2, 4\]"):
        run(layer, inputs, np.zeros((1, 4), np.int16))
    with pytest.raises(ValueError, match=r"mask must be of shape \[2, 5\]"):
        run(layer, inputs, mask=np.ones((2, 4), bool))
    with pytest.raises(ValueError, match=r"initial_inputs must be of shape \[2, 2, 3\]"):
        run(layer, inputs, initial_inputs=inputs)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kernel": np.zeros((2, 3, 7), np.int8)}, "kernel must be of shape"),
        ({"kernel": np.zeros((3, 8), np.int8)}, "kernel must be of shape"),
        ({"kernel": np.zeros((0, 3, 8), np.int8)}, "window must be positive"),
        ({"bias": np.zeros(7, np.int32)}, "bias must be of shape"),
        ({"shift": np.zeros(9, np.uint8)}, "shift must be of shape"),
        ({"shift": np.full(8, 32, np.uint8)}, "shift must be from 0 to 31, received 32"),
        ({"multiplier": np.ones(7, np.int32)}, "multiplier must be of shape"),
        ({"bias": np.full(8, 2**31 - 1, np.int32)}, "more than 32 bits hold"),
        ({"state_max": 40_000}, "state_max must be from 0 to 32767"),
        ({"input_zero_point": 128}, "input_zero_point must be from -128 to 127"),
    ],
)
def test_bindings_check_again(change, says):
    from addrnn import _core

    arguments = {
        "kernel": np.ones((2, 3, 8), np.int8),
        "bias": np.zeros(8, np.int32),
        "shift": np.zeros(8, np.uint8),
        "multiplier": None,
        "input_bits": 8,
        "input_zero_point": 0,
        "state_max": 100,
        "candidate_max": 100,
        "go_backwards": False,
    }
    layer = _core.IntegerMinAddGru(**arguments)
    with pytest.raises(ValueError, match=says):
        _core.IntegerMinAddGru(**{**arguments, **change})
    for wrong in (np.zeros((1, 2, 3), np.int32), np.zeros((1, 2, 6), np.int8)[..., ::2]):
        with pytest.raises(ValueError, match="^inputs must be a C-contiguous array of int8 or"):
            layer.run(wrong)
    with pytest.raises(ValueError, match="initial_inputs must be a C-contiguous array of int8 or"):
        layer.run(np.zeros((1, 2, 3), np.int8), initial_inputs=np.zeros((1, 1, 3)))


def test_inputs_before_the_first_step_may_have_the_other_type():
    from addrnn import _core

    layer = _core.IntegerMinAddGru(
        kernel=np.ones((2, 1, 2), np.int8),
        bias=np.zeros(2, np.int32),
        shift=np.zeros(2, np.uint8),
        multiplier=None,
        input_bits=8,
        input_zero_point=0,
        state_max=1000,
        candidate_max=1000,
        go_backwards=False,
    )
    given = np.full((1, 1, 1), -3, np.int8), np.full((1, 1, 1), -3, np.int16)
    state = np.full((1, 1), 100, np.int16)
    for inputs in given:
        for before in given:
            outputs, _ = layer.run(inputs, initial_state=state, initial_inputs=before)
            assert outputs.tolist() == [[[94]]]


def test_threads_may_share_a_layer():
    rng = np.random.default_rng(3)
    layer = draw_min_layer(rng, 9, 65)
    given = [support.draw_inputs(rng, batch, 20, 9, 8) for batch in (1, 2, 9, 33)]
    expected = [reference.run_layer(layer, inputs)[0] for inputs in given]
    wrong = []

    def work(index):
        for _ in range(50):
            if not np.array_equal(executor.run_layer(layer, given[index])[0], expected[index]):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
