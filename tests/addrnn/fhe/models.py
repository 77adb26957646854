"""Small integer models, and inputs that go to the ends of their ranges."""

import numpy as np

from addrnn import IntegerAddGRU, IntegerDense, IntegerMinAddGRU, IntegerModel, Quantization


def recurrent(features, units, seed=0, *, fan_in=2, **changes):
    """An `IntegerAddGRU` of random ternary weights, with a few per column."""
    rng = np.random.default_rng(seed)

    def weights(rows):
        matrix = np.zeros((rows, 2 * units), np.int8)
        for column in range(2 * units):
            chosen = rng.choice(rows, min(fan_in, rows), replace=False)
            matrix[chosen, column] = rng.choice([-1, 1], len(chosen))
        return matrix

    zeros = np.zeros(2 * units, np.uint8)
    arguments = dict(
        kernel=weights(features),
        recurrent_kernel=weights(units),
        bias=rng.integers(-2, 3, 2 * units).astype(np.int32),
        kernel_shift=zeros,
        recurrent_shift=zeros,
        shift=zeros,
        state_shift=0,
        state_max=3,
        candidate_min=0,
        candidate_max=3,
        input_bits=2,
        weight_bits=2,
        state_bits=3,
        state_scale=1.0,
    )
    return IntegerAddGRU(**(arguments | changes))


def min_recurrent(features, units, seed=0, *, kernel_size=2, fan_in=2, **changes):
    """An `IntegerMinAddGRU` of random ternary weights, with a few per column."""
    rng = np.random.default_rng(seed)
    rows = kernel_size * features
    matrix = np.zeros((rows, 2 * units), np.int8)
    for column in range(2 * units):
        chosen = rng.choice(rows, min(fan_in, rows), replace=False)
        matrix[chosen, column] = rng.choice([-1, 1], len(chosen))
    arguments = dict(
        kernel=matrix.reshape(kernel_size, features, 2 * units),
        bias=rng.integers(-2, 3, 2 * units).astype(np.int32),
        shift=np.zeros(2 * units, np.uint8),
        state_max=3,
        candidate_max=3,
        input_bits=2,
        weight_bits=2,
        state_bits=3,
        state_scale=1.0,
    )
    return IntegerMinAddGRU(**(arguments | changes))


def dense(features, units, seed=0, *, input_bits=3):
    rng = np.random.default_rng(seed)
    return IntegerDense(
        kernel=rng.integers(-1, 2, (features, units)).astype(np.int8),
        bias=rng.integers(-3, 4, units).astype(np.int32),
        input_bits=input_bits,
        weight_bits=2,
        scale=0.5,
    )


def model(*layers, input_bits=2, zero_point=0):
    return IntegerModel(Quantization(input_bits, 0.25, zero_point), layers)


def adder(greatest, state_max, input_bits, state_bits):
    """The exact adder (docs/explanation/recurrence.md): value and marker in, their sum out."""
    zeros = np.zeros(2, np.uint8)
    layer = IntegerAddGRU(
        kernel=np.array([[0, 1], [-greatest, 0]], np.int8),
        recurrent_kernel=np.zeros((1, 2), np.int8),
        bias=np.array([greatest, 0], np.int32),
        kernel_shift=zeros,
        recurrent_shift=zeros,
        shift=zeros,
        state_max=state_max,
        candidate_min=0,
        candidate_max=state_max,
        input_bits=input_bits,
        weight_bits=6,
        state_bits=state_bits,
        state_scale=1.0,
    )
    return IntegerModel(Quantization(input_bits, 1.0), [layer])


def full_range(model):
    """The least and the greatest integer of each feature."""
    low, high = model.inputs.range
    return np.full(model.features, low), np.full(model.features, high)


def sequences(compiled_range, timesteps, count, seed=0):
    """Integers `[count + 4, T, D]`: random ones, and some that stay at the ends."""
    rng = np.random.default_rng(seed)
    low, high = (np.asarray(end) for end in compiled_range)
    size = timesteps, len(low)
    drawn = rng.integers(low, high + 1, (count, *size))
    ends = [np.broadcast_to(low, size), np.broadcast_to(high, size)]
    ends += [np.where(rng.random(size) < 0.5, low, high) for _ in range(2)]
    return np.concatenate([drawn, np.stack(ends)])
