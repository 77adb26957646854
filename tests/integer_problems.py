"""Integer layers and models to run executors on, and the plain Python reference's answers."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

from addrnn import IntegerAddGRU, IntegerDense, IntegerModel, Quantization
from tests import integer_reference
from tests.support import MASKS, make_mask

INT32_MAX = 2**31 - 1
# What the values of a layer are drawn from.
KINDS = ("random", "extreme", "halves", "saturating")


def plain(layer):
    """The layer as nested lists and integers, which is what the reference takes."""
    fields = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer)}
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in fields.items()
    }


def expected_layer(layer, inputs, initial_state=None, mask=None):
    """The reference's outputs `[B, T, H]` and last state `[B, H]`, int16."""
    outputs, state = integer_reference.run_layer(
        plain(layer),
        inputs.tolist(),
        None if initial_state is None else initial_state.tolist(),
        None if mask is None else mask.tolist(),
    )
    batch, steps, _ = inputs.shape
    return (
        np.array(outputs, np.int16).reshape(batch, steps, layer.units),
        np.array(state, np.int16).reshape(batch, layer.units),
    )


def expected_model(model, inputs, mask=None):
    """The reference's answer to `model.run`."""
    values = inputs
    for layer in model.layers:
        if isinstance(layer, IntegerDense):
            rows = values.reshape(-1, layer.features).tolist()
            sums = [integer_reference.run_dense(plain(layer), row) for row in rows]
            return np.array(sums, np.int32).reshape(*values.shape[:-1], layer.units)
        outputs, state = expected_layer(layer, values, mask=mask)
        values = outputs if layer.return_sequences else state
    return values


def draw_layer(
    rng,
    features,
    units,
    *,
    kind="random",
    input_bits=8,
    weight_bits=8,
    state_bits=16,
    multiplier=False,
    shifted_state=False,
    **settings,
):
    """A layer whose sums fit into 32 bits, some of them only just.

    Args:
        rng: NumPy generator.
        kind: One of `KINDS`: weights and shifts at random; weights at their ends and sums that come
            as near to 32 bits as the layer allows; small sums that end in a half when they are
            rounded; sums far above the state.
        multiplier: Whether there are multipliers.
        shifted_state: Whether the state can be negative.
    """
    columns = 2 * units
    top = 2 ** (state_bits - 1) - 1
    state_shift = int(rng.integers(1, top + 1)) if shifted_state else 0
    state_max = top - state_shift
    if state_max and rng.random() < 0.3:
        state_max = int(rng.integers(1, state_max + 1))
    kernel = draw_weights(rng, (features, columns), kind, weight_bits)
    recurrent_kernel = draw_weights(rng, (units, columns), kind, weight_bits)

    # One of the two sums is shifted left, as far as 32 bits allow; a quarter is left for the bias.
    room = INT32_MAX // 4
    sums = (
        np.abs(kernel).sum(0) * 2 ** (input_bits - 1),
        np.abs(recurrent_kernel).sum(0) * max(state_shift, state_max),
    )
    left = [np.zeros(columns, int), np.zeros(columns, int)]
    longest = {"random": 4, "extreme": 31, "halves": 1, "saturating": 8}[kind]
    for j in range(columns):
        which = int(rng.integers(2))
        while left[which][j] < longest and sums[which][j] << left[which][j] + 1 < room:
            if kind != "extreme" and rng.random() < 0.4:
                break
            left[which][j] += 1
    total = (sums[0] << left[0]) + (sums[1] << left[1])

    shift = draw_shifts(rng, total, state_max + state_shift, kind)
    half = 0 if multiplier else (1 << shift) >> 1
    if kind == "extreme":
        bias = (INT32_MAX - total - half) * rng.choice([-1, 1], columns)
    else:
        span = np.minimum(np.maximum(total // 2, 2), INT32_MAX - total - half)
        bias = rng.integers(-span, span + 1)
    candidate = [(0, state_max), (-state_shift, state_max), (-(state_shift // 2), state_max // 2)]
    low, high = candidate[int(rng.integers(3))]
    arrays = {"multiplier": None, "shift": shift}
    if multiplier:
        arrays = draw_multipliers(rng, shift, kind)
    return IntegerAddGRU(
        kernel=kernel,
        recurrent_kernel=recurrent_kernel,
        bias=bias,
        kernel_shift=left[0],
        recurrent_shift=left[1],
        state_shift=state_shift,
        state_max=state_max,
        candidate_min=low,
        candidate_max=high,
        input_bits=input_bits,
        weight_bits=weight_bits,
        state_bits=state_bits,
        state_scale=1 / 64,
        **arrays,
        **settings,
    )


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
    low, high = -layer.state_shift, layer.state_max
    shape = (batch, layer.units)
    if kind == "random":
        return rng.integers(low, high + 1, shape).astype(np.int16)
    return rng.choice([low, high, 0], shape).astype(np.int16)


def draw_model(rng, features, units, *, classes=None, input_bits=8, sequences=False, **settings):
    """A model of one layer for each of `units`, and a dense one if there are `classes`."""
    layers, width, bits = [], features, input_bits
    for index, size in enumerate(units):
        last = index == len(units) - 1
        layers.append(
            draw_layer(
                rng,
                width,
                size,
                input_bits=bits,
                return_sequences=sequences or not last,
                name=f"add_gru_{index}",
                **settings,
            )
        )
        width, bits = size, layers[-1].state_bits
    if classes is not None:
        layers.append(draw_dense(rng, width, classes, bits, settings.get("weight_bits", 8)))
    zero_point = -(2 ** (input_bits - 1))
    return IntegerModel(Quantization(input_bits, 1 / 128, zero_point), layers)


def draw_dense(rng, features, units, input_bits, weight_bits=8):
    return IntegerDense(
        kernel=draw_weights(rng, (features, units), "random", weight_bits),
        bias=rng.integers(-(2**20), 2**20, units),
        input_bits=input_bits,
        weight_bits=weight_bits,
        scale=1 / 4096,
    )


def layer_calls(batch, steps, features, units):
    """A hypothesis strategy of what a layer is run on: layer, inputs, initial state, mask.

    Args:
        batch, steps, features, units: The least and the greatest size of each.
    """

    def draw(seed, sizes, kind, bits, mask, flags):
        rng = np.random.default_rng(seed)
        batch, steps, features, units = sizes
        multiplier, shifted_state, go_backwards, with_state = flags
        layer = draw_layer(
            rng,
            features,
            units,
            kind=kind,
            input_bits=bits[0],
            weight_bits=bits[1],
            state_bits=bits[2],
            multiplier=multiplier,
            shifted_state=shifted_state,
            go_backwards=go_backwards,
        )
        inputs = draw_inputs(rng, batch, steps, features, bits[0], kind)
        state = draw_state(rng, batch, layer, kind) if with_state else None
        return layer, inputs, state, make_mask(mask, batch, steps, rng)

    return st.builds(
        draw,
        seed=st.integers(0, 2**32 - 1),
        sizes=st.tuples(*(st.integers(*ends) for ends in (batch, steps, features, units))),
        kind=st.sampled_from(KINDS),
        bits=st.tuples(st.integers(1, 16), st.integers(2, 8), st.integers(2, 16)),
        mask=st.sampled_from(MASKS),
        flags=st.tuples(*[st.booleans()] * 4),
    )
