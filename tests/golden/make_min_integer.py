"""Writes the golden vectors of `IntegerMinAddGRU`: `python -m tests.golden.make_min_integer`.

As `make_integer.py` does for the rest of the integer model.
"""

import dataclasses
import itertools

import numpy as np

from tests import integer_problems as support
from tests.golden.make_integer import BITS, SIZES, write
from tests.min_integer_problems import draw_min_layer
from tests.support import MASKS, make_mask

KERNEL_SIZES = (1, 2, 3, 5)


def layer_case(label, seed, sizes, *, kind="random", mask="none", before=False, **settings):
    """A case of one layer, with the reference's answer.

    Args:
        sizes: `(B, T, D, H)`.
        before: Whether there are inputs before the first step.
    """
    batch, steps, features, units = sizes
    rng = np.random.default_rng((seed, *sizes))
    layer = draw_min_layer(rng, features, units, kind=kind, **settings)
    bits = layer.input_bits
    arrays = {"inputs": support.draw_inputs(rng, batch, steps, features, bits, kind)}
    if seed % 3:
        arrays["initial_state"] = support.draw_state(rng, batch, layer, kind)
    if mask != "none":
        arrays["mask"] = make_mask(mask, batch, steps, rng)
    if before:
        window = layer.kernel_size - 1
        arrays["initial_inputs"] = support.draw_inputs(rng, batch, window, features, bits, kind)
    arrays["outputs"], arrays["state"] = support.expected_layer(layer, **arrays)
    return label, None, [layer], arrays


def min_sizes():
    forms = itertools.product(KERNEL_SIZES, [False, True])
    for seed, (shape, (kernel_size, multiplier)) in enumerate(
        zip(SIZES, itertools.cycle(forms), strict=False)
    ):
        yield layer_case(
            f"{shape}, kernel_size={kernel_size}, multiplier={multiplier}",
            seed,
            shape,
            kernel_size=kernel_size,
            multiplier=multiplier,
            before=bool(seed % 2),
        )


def min_bits():
    for seed, (inputs, weights, state) in enumerate(BITS):
        yield layer_case(
            f"input_bits={inputs}, weight_bits={weights}, state_bits={state}",
            seed,
            (3, 4, 5, 9),
            kernel_size=KERNEL_SIZES[seed % 4],
            input_bits=inputs,
            weight_bits=weights,
            state_bits=state,
            multiplier=bool(seed // 2 % 2),
        )


def min_adversarial():
    kinds = itertools.product(support.KINDS[1:], [False, True], [8, 16], [8, 16])
    for seed, (kind, multiplier, input_bits, state_bits) in enumerate(kinds):
        # Zero points at both ends of their range too.
        zero_point = (-(2 ** (input_bits - 1)), 0, 2 ** (input_bits - 1) - 1)[seed % 3]
        yield layer_case(
            f"{kind}, multiplier={multiplier}, input_bits={input_bits}, state_bits={state_bits}",
            seed,
            (3, 6, 4, 9),
            kind=kind,
            kernel_size=KERNEL_SIZES[seed // 2 % 4],
            multiplier=multiplier,
            input_bits=input_bits,
            input_zero_point=zero_point,
            state_bits=state_bits,
            before=bool(seed % 2),
        )


def min_masks():
    forms = itertools.product(MASKS, [False, True], KERNEL_SIZES)
    for seed, (mask, backwards, kernel_size) in enumerate(forms):
        yield layer_case(
            f"mask={mask}, go_backwards={backwards}, kernel_size={kernel_size}",
            seed,
            (4, 6, 3, 7),
            mask=mask,
            go_backwards=backwards,
            kernel_size=kernel_size,
            before=bool(seed % 3),
        )


def min_models():
    for seed, (units, kernel_sizes, classes, sequences, mask, settings) in enumerate(
        (
            ((8,), (3,), None, False, "none", {}),
            ((8,), (1,), None, True, "holes", {}),
            ((9, 8), (3, 3), 3, False, "none", {"multiplier": True}),
            ((7, 5), (2, 5), 4, False, "right", {}),
            ((7, 5), (None, 3), 4, True, "left", {"shifted_state": True}),
            ((16, 8, 4), (3, None, 2), 2, True, "holes", {"state_bits": 8}),
            ((5, 6), (2, 1), None, True, "none", dict(state_bits=4, weight_bits=3, input_bits=4)),
            ((17,), (5,), 10, False, "none", {"input_bits": 16}),
            ((6, 6), (3, None), 1, True, "holes", {"go_backwards": True, "input_bits": 1}),
        )
    ):
        rng = np.random.default_rng(seed)
        model = support.draw_model(
            rng,
            6,
            units,
            kernel_sizes=kernel_sizes,
            classes=classes,
            sequences=sequences,
            **settings,
        )
        arrays = {"inputs": support.draw_inputs(rng, 3, 5, 6, model.inputs.bits)}
        if mask != "none":
            arrays["mask"] = make_mask(mask, 3, 5, rng)
        arrays["outputs"] = support.expected_model(model, **arrays)
        label = f"units={units}, kernel_sizes={kernel_sizes}, classes={classes}, {settings}"
        yield label, dataclasses.asdict(model.inputs), model.layers, arrays


if __name__ == "__main__":
    for make in (min_sizes, min_bits, min_adversarial, min_masks, min_models):
        write(make.__name__, make())
