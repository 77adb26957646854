"""`IntegerMinAddGRU`: what it refuses, and that no sum leaves the range it tells."""

import copy
import dataclasses
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addrnn import IntegerMinAddGRU
from tests import integer_problems as support
from tests import integer_reference
from tests.min_integer_problems import draw_min_layer

INT32_MAX = 2**31 - 1


def min_add_gru(**changes):
    """A layer of 2 inputs at a time, 1 feature and 1 unit."""
    arguments = dict(
        kernel=np.array([[[1, 2]], [[3, -4]]]),
        bias=np.array([7, 8]),
        shift=np.array([3, 4]),
        state_max=100,
        candidate_max=90,
        input_bits=8,
        input_zero_point=-5,
        weight_bits=8,
        state_bits=8,
        state_scale=0.5,
    )
    return IntegerMinAddGRU(**{**arguments, **changes})


def test_what_it_holds():
    layer = min_add_gru(multiplier=np.array([1, INT32_MAX], np.uint32))
    assert (layer.kernel_size, layer.features, layer.units, layer.update_max) == (2, 1, 1, 100)
    dtypes = {"kernel": np.int8, "bias": np.int32, "multiplier": np.int32, "shift": np.uint8}
    assert {name: getattr(layer, name).dtype for name in dtypes} == dtypes
    assert repr(layer) == (
        "IntegerMinAddGRU('min_add_gru': 1 to 1, weights of 8 bits, 2 inputs, state of 8 bits, "
        "0.0 kB)"
    )


def test_arrays_are_copied_and_cannot_be_written():
    kernel = np.array([[[1, 2]], [[3, -4]]], np.int8)
    layer = min_add_gru(kernel=kernel)
    kernel[:] = 9
    assert layer.kernel.tolist() == [[[1, 2]], [[3, -4]]]
    with pytest.raises(ValueError, match="read-only"):
        layer.kernel[0, 0, 0] = 1
    with pytest.raises(AttributeError):
        layer.state_max = 1


def test_accumulator_range_by_hand():
    low, high = min_add_gru().accumulator_range()
    assert low.tolist() == [-128 * 4 + 7, -128 * 2 - 127 * 4 + 8]
    assert high.tolist() == [127 * 4 + 7, 127 * 2 + 128 * 4 + 8]
    assert min_add_gru().accumulator_magnitude().tolist() == [
        128 * 4 + 7 + 4,
        128 * 6 + 8 + 8,
    ]


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(support.KINDS),
    multiplier=st.booleans(),
    bits=st.tuples(st.integers(1, 16), st.integers(2, 8), st.integers(2, 16)),
    kernel_size=st.integers(1, 3),
)
def test_accumulator_range_is_met_at_its_ends(seed, kind, multiplier, bits, kernel_size):
    layer = draw_min_layer(
        np.random.default_rng(seed),
        2,
        2,
        kernel_size=kernel_size,
        kind=kind,
        multiplier=multiplier,
        input_bits=bits[0],
        weight_bits=bits[1],
        state_bits=bits[2],
    )
    ends = -(2 ** (bits[0] - 1)), 2 ** (bits[0] - 1) - 1
    low, high = layer.accumulator_range()
    worst = layer.accumulator_magnitude()
    # A layer that neither scales nor rounds gives the sums themselves.
    plain = support.plain(layer) | {"multiplier": None, "shift": [0] * 4}
    for j in range(4):
        sums = [
            integer_reference.window_gate(plain, np.reshape(x, (kernel_size, 2)).tolist(), j)
            for x in itertools.product(ends, repeat=2 * kernel_size)
        ]
        assert (low[j], high[j]) == (min(sums), max(sums))
        half = 0 if multiplier else (1 << int(layer.shift[j])) >> 1
        assert max(abs(low[j]), high[j] + half) <= worst[j] <= INT32_MAX


def test_a_sum_may_fill_32_bits_and_no_more():
    # The rest of column 0: 128 * 4 and half of 2^3.
    bias = np.array([INT32_MAX - 128 * 4 - 4, 0])
    for sign in (1, -1):
        assert min_add_gru(bias=sign * bias).accumulator_magnitude()[0] == INT32_MAX
        with pytest.raises(ValueError, match="column 0 could reach 2147483648, more than 32 bits"):
            min_add_gru(bias=sign * (bias + 1))
    with pytest.raises(ValueError, match="column 1.*fewer bits for inputs or weights"):  # a half
        min_add_gru(bias=np.array([0, 2**30]), shift=np.array([0, 31]))
    # A multiplier's rounding happens in 64 bits.
    min_add_gru(
        bias=np.array([2**30, 0]),
        shift=np.array([31, 62]),
        multiplier=np.array([INT32_MAX, 1]),
    )


@pytest.mark.parametrize(
    "changes, error, message",
    [
        (dict(kernel=np.ones((2, 1, 2))), TypeError, "`kernel` must hold integers"),
        (dict(kernel=np.ones((2, 1, 3), int)), ValueError, r"shape \(w, D, 2 \* H\)"),
        (dict(kernel=np.ones((0, 1, 2), int)), ValueError, r"with none of them 0\. Received"),
        (dict(kernel=np.ones((2, 0, 2), int)), ValueError, "`kernel` must have the shape"),
        (dict(kernel=np.ones((2, 2), int)), ValueError, "`kernel` must have the shape"),
        (dict(kernel=np.full((2, 1, 2), -128)), ValueError, "from -127 to 127"),
        (dict(weight_bits=3), ValueError, "`kernel` must hold values from -3 to 3"),
        (dict(bias=np.array([1])), ValueError, "`bias` must have the shape"),
        (dict(bias=np.array([0, -(2**31)])), ValueError, "`bias` must hold values"),
        (dict(shift=np.array([32, 0])), ValueError, "`shift` must hold values from 0 to 31"),
        (dict(multiplier=np.array([0, 1])), ValueError, "`multiplier` must hold values from 1"),
        (
            dict(multiplier=np.array([1, 1]), shift=np.array([63, 0])),
            ValueError,
            "`shift` must hold values from 0 to 62",
        ),
        (dict(state_max=128), ValueError, "`state_max` must be an integer from 0 to 127"),
        (dict(state_max=-1), ValueError, "`state_max` must be an integer from 0 to 127"),
        (dict(candidate_max=101), ValueError, "`candidate_max` must be an integer from 0 to 100"),
        (dict(candidate_max=-1), ValueError, "`candidate_max` must be an integer from 0 to 100"),
        (dict(input_bits=17), ValueError, "`input_bits` must be an integer from 1 to 16"),
        (dict(input_zero_point=128), ValueError, "`input_zero_point` must be an integer from -128"),
        (dict(input_zero_point=0.0), TypeError, "`input_zero_point` must be an integer"),
        (dict(weight_bits=1), ValueError, "`weight_bits` must be an integer from 2 to 8"),
        (dict(state_bits=1), ValueError, "`state_bits` must be an integer from 2 to 16"),
        (dict(state_scale=0), ValueError, "`state_scale` must be a finite positive"),
        (dict(go_backwards=1), TypeError, "`go_backwards` must be True or False"),
        (dict(return_sequences="no"), TypeError, "`return_sequences` must be True or False"),
        (dict(name=None), TypeError, "`name` must be a string"),
    ],
)
def test_it_refuses(changes, error, message):
    with pytest.raises(error, match=message):
        min_add_gru(**changes)


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))]
)
def test_a_copy_is_fixed_too(again):
    layer = draw_min_layer(np.random.default_rng(0), 3, 4, multiplier=True)
    made = again(layer)
    for field in dataclasses.fields(layer):
        value = getattr(made, field.name)
        np.testing.assert_array_equal(value, getattr(layer, field.name))
        if isinstance(value, np.ndarray):
            assert not value.flags.writeable
