"""Fused and composed against the reference on whatever combination hypothesis thinks of."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement import check
from tests.support import ACTIVATIONS, MASKS, make_problem

# Sixteenths: bound + shift is exact in float32, so a state at its bound is so in every precision.
SHIFTS = st.one_of(st.just(0.0), st.integers(1, 32).map(lambda n: n / 16))
# At least 1/2: far below the states, every unit would sit at it.
BOUNDS = st.one_of(st.none(), st.integers(8, 128).map(lambda n: n / 16))


@st.composite
def problems(draw, largest):
    batch, steps, features, units = (draw(st.integers(0, size)) for size in largest)
    return make_problem(
        draw(st.integers(0, 2**32 - 1)),
        (batch, steps, features, units + 1),
        mask=draw(st.sampled_from(MASKS)),
        bias=draw(st.booleans()),
        initial_state=draw(st.booleans()),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        state_shift=draw(SHIFTS),
        state_max=draw(BOUNDS),
        go_backwards=draw(st.booleans()),
    ).as_dtype("float32")


@pytest.mark.backend_neutral
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(problem=problems(largest=(6, 8, 20, 20)))
def test_composed(problem):
    check(problem, "composed")


@pytest.mark.fused
@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(problem=problems(largest=(20, 20, 70, 70)))
def test_fused(problem):
    check(problem, "fused")
