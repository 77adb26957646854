"""Writes the golden vectors from the reference: `python -m tests.golden.make_golden`.

The files are committed. Make them again only when the equations change.
"""

import itertools
import json

import numpy as np

from tests.golden import FOLDER
from tests.support import ACTIVATIONS, ARRAYS, MASKS, make_mask, make_problem, on_grid

# Sizes (B, T, D, H) on both sides of the widths of vector registers and of tiles of rows.
SIZES = (
    (1, 1, 1, 1),
    (5, 2, 7, 8),
    (6, 3, 9, 16),
    (7, 2, 8, 9),
    (3, 2, 16, 31),
    (2, 2, 3, 64),
    (1, 3, 64, 7),
    (33, 2, 2, 3),
    (2, 2, 1, 130),
    (1, 50, 3, 8),
)
# Nearer to a kink than this, a float32 executor could rightly take the other side.
KINK_DISTANCE = 3e-5
LARGEST_GRADIENT = 5000  # entries of all weights above which a file keeps no gradients


def combinations():
    """Every activation, shift, bound, mask and direction with every other."""
    axes = itertools.product(ACTIVATIONS, [0.0, 0.25], [None, 1.5], MASKS, [False, True])
    names = ("activation", "state_shift", "state_max", "mask", "go_backwards")
    return [dict(zip(names, values, strict=True)) for values in axes]


def a_few():
    """One setting per activation, with the other choices spread over them."""
    rest = [
        (0.0, None, "none", False),
        (0.25, None, "right", True),
        (0.0, 1.5, "left", False),
        (0.25, 1.5, "holes", True),
    ]
    names = ("activation", "state_shift", "state_max", "mask", "go_backwards")
    pairs = zip(("relu", "linear", "hard_tanh", "tanh"), rest, strict=True)
    return [dict(zip(names, (activation, *values), strict=True)) for activation, values in pairs]


def solve(problem, masks, settings):
    """The content of one file, or None if some setting comes too near to a kink."""
    content = {name: getattr(problem, name).astype(np.float32) for name in problem.arrays}
    content["d_outputs"] = problem.d_outputs.astype(np.float32)
    content["d_state"] = problem.d_state.astype(np.float32)
    content |= {f"mask_{kind}": mask for kind, mask in masks.items() if mask is not None}
    content["settings"] = np.array(json.dumps(settings))
    stacks = {}
    for setting in settings:
        rest = {name: value for name, value in setting.items() if name != "mask"}
        case = problem.but(mask=masks[setting["mask"]], **rest)
        if case.kink_distance().min() < KINK_DISTANCE:
            return None
        results = case.expected()
        if problem.kernel.size + problem.recurrent_kernel.size <= LARGEST_GRADIENT:
            gradients = case.expected_gradients()
            results |= {f"d_{name}": gradients[name] for name in ARRAYS}
        for name, value in results.items():
            stacks.setdefault(name, []).append(value)
    return content | {name: np.stack(values) for name, values in stacks.items()}


def write(name, sizes, settings):
    """Writes one file, from the first seed whose states keep clear of the kinks."""
    batch, steps, _, _ = sizes
    for seed in itertools.count():
        problem = on_grid(make_problem(seed, sizes))
        rng = np.random.default_rng(seed)
        masks = {kind: make_mask(kind, batch, steps, rng) for kind in MASKS}
        content = solve(problem, masks, settings)
        if content is not None:
            np.savez_compressed(FOLDER / f"{name}.npz", **content)
            print(f"{name}: seed {seed}, {len(settings)} settings")
            return


def write_adder():
    """The adding problem solved by hand: exact, since every sum is a multiple of 1/64."""
    rng = np.random.default_rng(0)
    batch, steps = 3, 200
    values = rng.integers(0, 64, size=(batch, steps)) / 64
    markers = rng.random((batch, steps)) < 0.3
    problem = make_problem(0, (batch, steps, 2, 1)).but(
        inputs=np.stack([values, markers], axis=2),
        kernel=np.array([[0.0, 1.0], [-1.0, 0.0]]),  # u = 1 - marker, c = value
        recurrent_kernel=np.zeros((1, 2)),
        bias=np.array([1.0, 0.0]),
        initial_state=np.zeros((batch, 1)),
    )
    settings = {"activation": "relu", "state_shift": 0.0, "state_max": None, "go_backwards": False}
    content = solve(on_grid(problem), {"none": None}, [settings | {"mask": "none"}])
    np.testing.assert_array_equal(content["state"][0, :, 0], (values * markers).sum(axis=1))
    np.savez_compressed(FOLDER / "adder.npz", **content)
    print("adder")


if __name__ == "__main__":
    write("combinations", (2, 5, 3, 4), combinations())
    for shape in SIZES:
        write("sizes_" + "x".join(map(str, shape)), shape, a_few())
    write_adder()
