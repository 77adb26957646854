"""Writes the golden vectors of the integer model: `python -m tests.golden.make_integer`.

The answers are those of `tests/integer_reference.py`, in plain Python integers. The files are
committed. Make them again only when the equations change.
"""

import dataclasses
import itertools
import json

import numpy as np

from tests import integer_problems as support
from tests.golden import FOLDER
from tests.support import MASKS, make_mask

# Sizes (B, T, D, H) on both sides of the widths of vector registers, tiles and unrolled loops.
SIZES = (
    (1, 1, 1, 1),
    (1, 3, 2, 1),
    (2, 2, 1, 2),
    (3, 4, 3, 5),
    (5, 2, 7, 7),
    (2, 3, 8, 8),
    (4, 2, 9, 9),
    (7, 2, 15, 15),
    (2, 2, 16, 16),
    (6, 2, 17, 17),
    (1, 3, 31, 31),
    (2, 2, 33, 32),
    (3, 2, 32, 33),
    (1, 2, 63, 63),
    (2, 2, 64, 64),
    (1, 3, 65, 65),
    (1, 2, 5, 130),
    (1, 2, 131, 4),
    (9, 2, 13, 11),
    (1, 40, 3, 8),
)
BITS = (
    *((input_bits, 8, 16) for input_bits in (1, 2, 7, 8, 9, 16)),
    *((8, weight_bits, 16) for weight_bits in (2, 3, 4, 5, 6, 7)),
    *((8, 8, state_bits) for state_bits in (2, 3, 4, 5, 6, 7, 8, 9, 12, 15)),
    *((bits, max(bits, 2), max(bits, 2)) for bits in (1, 2, 3, 4, 6)),
    (16, 2, 2),
    (1, 8, 8),
)


def layer_case(label, seed, sizes, *, kind="random", mask="none", state=True, **settings):
    """A case of one layer, with the reference's answer."""
    batch, steps, features, units = sizes
    rng = np.random.default_rng((seed, *sizes))
    layer = support.draw_layer(rng, features, units, kind=kind, **settings)
    inputs = support.draw_inputs(rng, batch, steps, features, layer.input_bits, kind)
    arrays = {"inputs": inputs}
    if state:
        arrays["initial_state"] = support.draw_state(rng, batch, layer, kind)
    if mask != "none":
        arrays["mask"] = make_mask(mask, batch, steps, rng)
    arrays["outputs"], arrays["state"] = support.expected_layer(layer, **arrays)
    return label, None, [layer], arrays


def sizes():
    forms = itertools.cycle(itertools.product([False, True], [False, True]))
    for seed, (shape, (multiplier, shifted)) in enumerate(zip(SIZES, forms, strict=False)):
        yield layer_case(
            f"{shape}, multiplier={multiplier}, shifted_state={shifted}",
            seed,
            shape,
            multiplier=multiplier,
            shifted_state=shifted,
            state=bool(seed % 3),
        )


def bits():
    forms = itertools.cycle([(False, False), (True, True), (False, True), (True, False)])
    for seed, ((inputs, weights, state), (multiplier, shifted)) in enumerate(
        zip(BITS, forms, strict=False)
    ):
        yield layer_case(
            f"input_bits={inputs}, weight_bits={weights}, state_bits={state}",
            seed,
            (3, 4, 5, 9),
            input_bits=inputs,
            weight_bits=weights,
            state_bits=state,
            multiplier=multiplier,
            shifted_state=shifted,
        )


def adversarial():
    kinds = itertools.product(support.KINDS[1:], [False, True], [False, True], [8, 16], [8, 16])
    for seed, (kind, multiplier, shifted, input_bits, state_bits) in enumerate(kinds):
        yield layer_case(
            f"{kind}, multiplier={multiplier}, shifted_state={shifted}, "
            f"input_bits={input_bits}, state_bits={state_bits}",
            seed,
            (3, 4, 4, 9),
            kind=kind,
            multiplier=multiplier,
            shifted_state=shifted,
            input_bits=input_bits,
            state_bits=state_bits,
        )


def masks():
    for seed, (mask, backwards) in enumerate(itertools.product(MASKS, [False, True])):
        yield layer_case(
            f"mask={mask}, go_backwards={backwards}",
            seed,
            (4, 5, 3, 7),
            mask=mask,
            go_backwards=backwards,
            shifted_state=bool(seed % 2),
        )


def models():
    for seed, (units, classes, sequences, mask, settings) in enumerate(
        (
            ((8,), None, False, "none", {}),
            ((8,), None, True, "holes", {}),
            ((9,), 3, False, "none", {"multiplier": True}),
            ((7, 5), 4, False, "right", {"shifted_state": True}),
            ((16, 8, 4), 2, True, "left", {"state_bits": 8}),
            ((5, 6), None, True, "none", {"state_bits": 4, "weight_bits": 3, "input_bits": 4}),
            ((17,), 10, False, "none", {"input_bits": 16}),
            ((6, 6), 1, True, "holes", {"go_backwards": True, "input_bits": 1}),
        )
    ):
        rng = np.random.default_rng(seed)
        model = support.draw_model(rng, 6, units, classes=classes, sequences=sequences, **settings)
        arrays = {"inputs": support.draw_inputs(rng, 3, 4, 6, model.inputs.bits)}
        if mask != "none":
            arrays["mask"] = make_mask(mask, 3, 4, rng)
        arrays["outputs"] = support.expected_model(model, **arrays)
        label = f"units={units}, classes={classes}, sequences={sequences}, {settings}"
        yield label, dataclasses.asdict(model.inputs), model.layers, arrays


def write(group, drawn):
    """Writes the cases of one file."""
    about, stored = [], {}
    for index, (label, inputs, layers, arrays) in enumerate(drawn):
        described = []
        for number, layer in enumerate(layers):
            numbers = {}
            for field in dataclasses.fields(layer):
                value = getattr(layer, field.name)
                if isinstance(value, np.ndarray):
                    stored[f"{index}.{number}.{field.name}"] = value
                elif value is not None:
                    numbers[field.name] = value
            described.append((type(layer).__name__, numbers))
        about.append({"label": label, "affine": inputs, "layers": described})
        stored |= {f"{index}.{name}": value for name, value in arrays.items()}
    stored["cases"] = np.array(json.dumps(about))
    np.savez_compressed(FOLDER / f"integer_{group}.npz", **stored)
    print(f"integer_{group}: {len(about)} cases")


if __name__ == "__main__":
    for make in (sizes, bits, adversarial, masks, models):
        write(make.__name__, make())
