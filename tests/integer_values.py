"""Values of integer layers, and what they are run on, from a generator of random numbers."""

import numpy as np

INT32_MAX = 2**31 - 1
# What the values of a layer are drawn from.
KINDS = ("random", "extreme", "halves", "saturating")


def draw_weights(rng, shape, kind, bits):
    greatest = 2 ** (bits - 1) - 1
    if kind in ("extreme", "saturating"):
        return greatest * rng.choice([-1, 1], shape)
    if kind == "halves":
        greatest = 1
    return rng.integers(-greatest, greatest + 1, shape)


def draw_shifts(rng, total, span, kind):
    """Shifts to the right, which leave of the greatest sum about what the state can hold."""
    fitting = np.array([max(int(value).bit_length() - span.bit_length(), 0) for value in total])
    if kind == "extreme":  # half of a shift by 31 is a quarter of all there is
        return rng.choice([0, 1, 30, 31], total.shape)
    if kind == "halves":
        return rng.integers(1, 4, total.shape)
    if kind == "saturating":
        return np.maximum(fitting - rng.integers(2, 6, total.shape), 0)
    return np.clip(fitting - rng.integers(-1, 4, total.shape), 0, 24)


def draw_multipliers(rng, shift, kind):
    """Multipliers of `2^-shift`, and the shifts that go with them."""
    if kind == "extreme":
        ends = np.array([1, 2, INT32_MAX - 1, INT32_MAX])
        return {
            "multiplier": rng.choice(ends, shift.shape),
            "shift": rng.choice([0, 1, 31, 32, 61, 62], shift.shape),
        }
    if kind == "halves":  # a multiple of half the divisor, so that halves stay halves
        return {
            "multiplier": 3 * 2 ** rng.integers(0, 20, shift.shape),
            "shift": shift + rng.integers(0, 24, shift.shape),
        }
    return {
        "multiplier": rng.integers(2**30, 2**31, shift.shape),
        "shift": np.minimum(shift + 31, 62),
    }


def draw_inputs(rng, batch, steps, features, bits, kind="random"):
    """Integers `[B, T, D]` in the dtype of that many bits."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    shape = (batch, steps, features)
    if kind in ("extreme", "saturating"):
        drawn = rng.choice([low, high, high, low, 0], shape)
    elif kind == "halves":
        drawn = rng.integers(max(low, -3), min(high, 3) + 1, shape)
    else:
        drawn = rng.integers(low, high + 1, shape)
    return drawn.astype(np.int8 if bits <= 8 else np.int16)


def draw_state(rng, batch, layer, kind="random"):
    """A first state `[B, H]`, int16."""
    low, high = -getattr(layer, "state_shift", 0), layer.state_max
    shape = (batch, layer.units)
    if kind == "random":
        return rng.integers(low, high + 1, shape).astype(np.int16)
    return rng.choice([low, high, 0], shape).astype(np.int16)
