"""Integer layers and models to run executors on, and the plain Python reference's answers."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

from addrnn import IntegerAddGRU, IntegerDense, IntegerMinAddGRU, IntegerModel, Quantization
from tests import integer_reference
from tests.integer_values import (
    INT32_MAX,
    KINDS,
    draw_inputs,
    draw_multipliers,
    draw_shifts,
    draw_state,
    draw_weights,
)
from tests.min_integer_problems import draw_min_layer
from tests.support import MASKS, make_mask


def plain(layer):
    """The layer as nested lists and integers, which is what the reference takes."""
    fields = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer)}
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in fields.items()
    }


def expected_layer(layer, inputs, initial_state=None, mask=None, **more):
    """The reference's outputs `[B, T, H]` and last state `[B, H]`, int16."""
    run = integer_reference.run_layer
    if isinstance(layer, IntegerMinAddGRU):
        run = integer_reference.run_min_layer
    given = {"initial_state": initial_state, "mask": mask, **more}
    outputs, state = run(
        plain(layer),
        inputs.tolist(),
        **{name: None if value is None else value.tolist() for name, value in given.items()},
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


def draw_model(
    rng,
    features,
    units,
    *,
    classes=None,
    input_bits=8,
    sequences=False,
    kernel_sizes=None,
    shifted_state=False,
    **settings,
):
    """A model of one layer for each of `units`, and a dense one if there are `classes`.

    Args:
        kernel_sizes: For each layer the `w` of an `IntegerMinAddGRU`, or None for an
            `IntegerAddGRU`; None where all are.
    """
    layers, width, bits = [], features, input_bits
    affine = Quantization(input_bits, 1 / 128, -(2 ** (input_bits - 1)))
    zero_point = affine.zero_point
    for index, size in enumerate(units):
        last = index == len(units) - 1
        given = dict(input_bits=bits, return_sequences=sequences or not last, **settings)
        window = None if kernel_sizes is None else kernel_sizes[index]
        if window is None:
            given |= dict(shifted_state=shifted_state, name=f"add_gru_{index}")
            layers.append(draw_layer(rng, width, size, **given))
        else:
            given |= dict(input_zero_point=zero_point, name=f"min_add_gru_{index}")
            layers.append(draw_min_layer(rng, width, size, kernel_size=window, **given))
        width, bits, zero_point = size, layers[-1].state_bits, 0
    if classes is not None:
        layers.append(draw_dense(rng, width, classes, bits, settings.get("weight_bits", 8)))
    return IntegerModel(affine, layers)


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
