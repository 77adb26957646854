"""The integer layers: what they refuse, and that no sum leaves the range they tell."""

import copy
import dataclasses
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addrnn import IntegerAddGRU, IntegerDense
from tests import integer_problems as support

INT32_MAX = 2**31 - 1


def add_gru(**changes):
    """A layer of 2 features and 1 unit."""
    arguments = dict(
        kernel=np.array([[1, 2], [3, -4]]),
        recurrent_kernel=np.array([[5, -6]]),
        bias=np.array([7, 8]),
        kernel_shift=np.array([0, 1]),
        recurrent_shift=np.array([2, 0]),
        shift=np.array([3, 4]),
        state_max=100,
        candidate_min=0,
        candidate_max=100,
        input_bits=8,
        weight_bits=8,
        state_bits=8,
        state_scale=0.5,
    )
    return IntegerAddGRU(**{**arguments, **changes})


def dense(**changes):
    arguments = dict(
        kernel=np.array([[1, -2, 3]]),
        bias=np.array([4, 5, 6]),
        input_bits=8,
        weight_bits=4,
        scale=0.25,
    )
    return IntegerDense(**{**arguments, **changes})


def test_what_it_holds():
    layer = add_gru(multiplier=np.array([1, INT32_MAX], np.uint32))
    assert (layer.features, layer.units, layer.update_max) == (2, 1, 100)
    dtypes = {
        "kernel": np.int8,
        "recurrent_kernel": np.int8,
        "bias": np.int32,
        "kernel_shift": np.uint8,
        "recurrent_shift": np.uint8,
        "multiplier": np.int32,
        "shift": np.uint8,
    }
    assert {name: getattr(layer, name).dtype for name in dtypes} == dtypes
    assert (dense().features, dense().units, dense().bias.dtype) == (1, 3, np.int32)


def test_arrays_are_copied_and_cannot_be_written():
    kernel = np.array([[1, 2], [3, -4]], np.int8)
    layer = add_gru(kernel=kernel)
    kernel[:] = 9
    assert layer.kernel.tolist() == [[1, 2], [3, -4]]
    with pytest.raises(ValueError, match="read-only"):
        layer.kernel[0, 0] = 1
    with pytest.raises(AttributeError):
        layer.state_max = 1


def test_accumulator_range_by_hand():
    # u: x = (-128, -128), h = 0 to x = (127, 127), h = 100.
    low, high = add_gru().accumulator_range()
    assert low.tolist() == [-128 * 4 + 7, (-128 * 2 - 127 * 4) * 2 - 600 + 8]
    assert high.tolist() == [127 * 4 + 500 * 4 + 7, (127 * 2 + 128 * 4) * 2 + 8]
    assert add_gru().accumulator_magnitude().tolist() == [
        128 * 4 + 500 * 4 + 7 + 4,
        128 * 6 * 2 + 600 + 8 + 8,
    ]


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(support.KINDS),
    multiplier=st.booleans(),
    shifted_state=st.booleans(),
    bits=st.tuples(st.integers(1, 16), st.integers(2, 8), st.integers(2, 16)),
)
def test_accumulator_range_is_met_at_its_ends(seed, kind, multiplier, shifted_state, bits):
    layer = support.draw_layer(
        np.random.default_rng(seed),
        2,
        2,
        kind=kind,
        multiplier=multiplier,
        shifted_state=shifted_state,
        input_bits=bits[0],
        weight_bits=bits[1],
        state_bits=bits[2],
    )
    x_ends = -(2 ** (bits[0] - 1)), 2 ** (bits[0] - 1) - 1
    h_ends = -layer.state_shift, layer.state_max
    low, high = layer.accumulator_range()
    worst = layer.accumulator_magnitude()
    plain = support.plain(layer)
    for j in range(4):
        sums = [
            sum(v * row[j] for v, row in zip(x, plain["kernel"], strict=True))
            * 2 ** plain["kernel_shift"][j]
            + sum(v * row[j] for v, row in zip(h, plain["recurrent_kernel"], strict=True))
            * 2 ** plain["recurrent_shift"][j]
            + plain["bias"][j]
            for x in itertools.product(x_ends, repeat=2)
            for h in itertools.product(h_ends, repeat=2)
        ]
        assert (low[j], high[j]) == (min(sums), max(sums))
        half = 0 if multiplier else (1 << plain["shift"][j]) >> 1
        assert max(abs(low[j]), high[j] + half) <= worst[j] <= INT32_MAX


def test_a_sum_may_fill_32_bits_and_no_more():
    shifts = dict(kernel_shift=np.array([0, 0]), recurrent_shift=np.array([0, 0]))
    # The rest of column 0: 128 * 4 + 100 * 5 and half of 2^3.
    rest = 128 * 4 + 500 + 4
    bias = np.array([INT32_MAX - rest, 0])
    for sign in (1, -1):
        assert add_gru(bias=sign * bias, **shifts).accumulator_magnitude()[0] == INT32_MAX
        with pytest.raises(ValueError, match="column 0 could reach 2147483648, more than 32 bits"):
            add_gru(bias=sign * (bias + 1), **shifts)
    with pytest.raises(ValueError, match="column 1"):
        add_gru(recurrent_shift=np.array([0, 31]))
    with pytest.raises(ValueError, match="column 0"):  # half of 2^31 too
        add_gru(bias=np.array([2**30, 0]), shift=np.array([31, 0]))
    # A multiplier's rounding happens in 64 bits.
    add_gru(
        bias=np.array([2**30, 0]),
        shift=np.array([31, 0]),
        multiplier=np.array([INT32_MAX, 1]),
    )


@pytest.mark.parametrize(
    "changes, error, message",
    [
        (dict(kernel=np.ones((2, 2))), TypeError, "`kernel` must hold integers"),
        (dict(kernel=np.ones((2, 2), bool)), TypeError, "`kernel` must hold integers"),
        (dict(kernel=np.ones((2, 3), int)), ValueError, r"shape \(D, 2 \* H\)"),
        (dict(kernel=np.ones((0, 2), int)), ValueError, "`kernel` must have the shape"),
        (dict(kernel=np.ones(2, int)), ValueError, "`kernel` must have the shape"),
        (dict(kernel=np.full((2, 2), -128)), ValueError, "from -127 to 127"),
        (dict(weight_bits=3), ValueError, "`kernel` must hold values from -3 to 3"),
        (
            dict(recurrent_kernel=np.ones((2, 2), int)),
            ValueError,
            "`recurrent_kernel` must have the shape",
        ),
        (dict(recurrent_kernel=np.array([[128, 0]])), ValueError, "`recurrent_kernel` must hold"),
        (dict(bias=np.array([1])), ValueError, "`bias` must have the shape"),
        (dict(bias=np.array([0, -(2**31)])), ValueError, "`bias` must hold values"),
        (dict(kernel_shift=np.array([0, 32])), ValueError, "`kernel_shift` must hold"),
        (dict(recurrent_shift=np.array([-1, 0])), ValueError, "`recurrent_shift` must hold"),
        (dict(shift=np.array([32, 0])), ValueError, "`shift` must hold values from 0 to 31"),
        (dict(multiplier=np.array([0, 1])), ValueError, "`multiplier` must hold values from 1"),
        (
            dict(multiplier=np.array([1, 1]), shift=np.array([63, 0])),
            ValueError,
            "`shift` must hold values from 0 to 62",
        ),
        (dict(state_max=128), ValueError, "`state_max` must be an integer from 0 to 127"),
        (dict(state_shift=28), ValueError, "`state_max` must be an integer from 0 to 99"),
        (dict(state_shift=-1), ValueError, "`state_shift` must be an integer from 0"),
        (dict(candidate_max=101), ValueError, "`candidate_max` must be an integer from 0 to 100"),
        (dict(candidate_min=-1), ValueError, "`candidate_min` must be an integer from 0 to 100"),
        (dict(candidate_min=9, candidate_max=8), ValueError, "must not be above"),
        (dict(input_bits=17), ValueError, "`input_bits` must be an integer from 1 to 16"),
        (dict(weight_bits=1), ValueError, "`weight_bits` must be an integer from 2 to 8"),
        (dict(state_bits=1), ValueError, "`state_bits` must be an integer from 2 to 16"),
        (dict(state_bits=8.0), TypeError, "`state_bits` must be an integer"),
        (dict(state_scale=0), ValueError, "`state_scale` must be a finite positive"),
        (dict(state_scale="0.5"), TypeError, "`state_scale` must be a number"),
        (dict(go_backwards=1), TypeError, "`go_backwards` must be True or False"),
        (dict(return_sequences="no"), TypeError, "`return_sequences` must be True or False"),
        (dict(name=None), TypeError, "`name` must be a string"),
    ],
)
def test_add_gru_refuses(changes, error, message):
    with pytest.raises(error, match=message):
        add_gru(**changes)


@pytest.mark.parametrize(
    "changes, error, message",
    [
        (dict(kernel=np.ones((1, 3))), TypeError, "`kernel` must hold integers"),
        (dict(kernel=np.full((1, 3), 8)), ValueError, "from -7 to 7"),
        (dict(bias=np.array([1, 2])), ValueError, r"`bias` must have the shape \[3\]"),
        (dict(input_bits=0), ValueError, "`input_bits` must be an integer from 1 to 16"),
        (dict(weight_bits=9), ValueError, "`weight_bits` must be an integer from 2 to 8"),
        (dict(scale=np.nan), ValueError, "`scale` must be a finite"),
        (dict(name=5), TypeError, "`name` must be a string"),
        (
            dict(bias=np.array([0, 0, INT32_MAX - 3 * 128 + 1])),
            ValueError,
            "column 2 could reach 2147483648",
        ),
    ],
)
def test_dense_refuses(changes, error, message):
    with pytest.raises(error, match=message):
        dense(**changes)


def test_dense_may_fill_32_bits():
    assert dense(bias=np.array([0, 0, INT32_MAX - 3 * 128])).bias[2] == INT32_MAX - 384


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))]
)
def test_a_copy_is_fixed_too(again):
    for layer in (
        support.draw_layer(np.random.default_rng(0), 3, 4),
        support.draw_dense(np.random.default_rng(0), 3, 4, 8, 8),
    ):
        made = again(layer)
        for field in dataclasses.fields(layer):
            value = getattr(made, field.name)
            np.testing.assert_array_equal(value, getattr(layer, field.name))
            if isinstance(value, np.ndarray):
                assert not value.flags.writeable
