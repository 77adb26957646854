"""Layers of `IntegerMinAddGRU` to run executors on, and calls of them."""

import numpy as np
from hypothesis import strategies as st

from addrnn import IntegerMinAddGRU
from tests.integer_values import (
    INT32_MAX,
    KINDS,
    draw_inputs,
    draw_multipliers,
    draw_shifts,
    draw_state,
    draw_weights,
)
from tests.support import MASKS, make_mask


def draw_min_layer(
    rng,
    features,
    units,
    *,
    kernel_size=3,
    kind="random",
    input_bits=8,
    input_zero_point=None,
    weight_bits=8,
    state_bits=16,
    multiplier=False,
    **settings,
):
    """As `integer_problems.draw_layer`, an `IntegerMinAddGRU`."""
    columns = 2 * units
    state_max = 2 ** (state_bits - 1) - 1
    if state_max and rng.random() < 0.3:
        state_max = int(rng.integers(1, state_max + 1))
    # Beside the largest of inputs a bias and half of a shift have to find room.
    limit = INT32_MAX // 2 // (kernel_size * features * 2 ** (input_bits - 1))
    kernel = draw_weights(rng, (kernel_size, features, columns), kind, weight_bits)
    kernel = np.clip(kernel, -limit, limit)
    total = np.abs(kernel).sum((0, 1)) * 2 ** (input_bits - 1)
    shift = draw_shifts(rng, total, state_max, kind)
    half = 0 if multiplier else (1 << shift) >> 1
    if kind == "extreme":
        bias = (INT32_MAX - total - half) * rng.choice([-1, 1], columns)
    else:
        span = np.minimum(np.maximum(total // 2, 2), INT32_MAX - total - half)
        bias = rng.integers(-span, span + 1)
    arrays = {"multiplier": None, "shift": shift}
    if multiplier:
        arrays = draw_multipliers(rng, shift, kind)
    if input_zero_point is None:
        input_zero_point = int(rng.integers(-(2 ** (input_bits - 1)), 2 ** (input_bits - 1)))
    return IntegerMinAddGRU(
        kernel=kernel,
        bias=bias,
        state_max=state_max,
        candidate_max=int(rng.choice([state_max, state_max, state_max // 2])),
        input_bits=input_bits,
        input_zero_point=input_zero_point,
        weight_bits=weight_bits,
        state_bits=state_bits,
        state_scale=1 / 64,
        **arrays,
        **settings,
    )


def min_layer_calls(batch, steps, features, units, kernel_size=(1, 5)):
    """As `integer_problems.layer_calls`, of an `IntegerMinAddGRU`.

    Last of a call are the inputs before the first step, or None.
    """

    def draw(seed, sizes, kind, bits, mask, flags):
        rng = np.random.default_rng(seed)
        batch, steps, features, units, kernel_size = sizes
        multiplier, go_backwards, with_state, with_inputs = flags
        layer = draw_min_layer(
            rng,
            features,
            units,
            kernel_size=kernel_size,
            kind=kind,
            input_bits=bits[0],
            weight_bits=bits[1],
            state_bits=bits[2],
            multiplier=multiplier,
            go_backwards=go_backwards,
        )
        inputs = draw_inputs(rng, batch, steps, features, bits[0], kind)
        state = draw_state(rng, batch, layer, kind) if with_state else None
        before = draw_inputs(rng, batch, kernel_size - 1, features, bits[0], kind)
        mask = make_mask(mask, batch, steps, rng)
        return layer, inputs, state, mask, before if with_inputs else None

    ends = (batch, steps, features, units, kernel_size)
    return st.builds(
        draw,
        seed=st.integers(0, 2**32 - 1),
        sizes=st.tuples(*(st.integers(*pair) for pair in ends)),
        kind=st.sampled_from(KINDS),
        bits=st.tuples(st.integers(1, 16), st.integers(2, 8), st.integers(2, 16)),
        mask=st.sampled_from(MASKS),
        flags=st.tuples(*[st.booleans()] * 4),
    )
