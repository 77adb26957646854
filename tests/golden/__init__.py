"""Vectors that every executor of the recurrence must reproduce, and how to read them.

A file holds one set of inputs (multiples of 1/64 below 2, exact in every float type), and what
comes out for each of N settings, stacked along a first axis:

    inputs [B, T, D], kernel [D, 2H], recurrent_kernel [H, 2H], bias [2H], initial_state [B, H],
    mask_<kind> [B, T], d_outputs [B, T, H], d_state [B, H]                       float32 and bool
    settings                                            a JSON list of N objects (see `load`)
    outputs [N, B, T, H], state [N, B, H]                                         float64
    d_<argument> [N, ...]            gradients, only in files small enough to hold them; float64

`make_golden.py` made them.
"""

import json
from pathlib import Path

import numpy as np

from tests.support import ARRAYS, Problem

FOLDER = Path(__file__).parent
FILES = tuple(
    sorted(path.stem for path in FOLDER.glob("*.npz") if not path.stem.startswith("integer_"))
)


def load(name):
    """Yields `(label, problem, expected, gradients or None)` for each setting of a file."""
    with np.load(FOLDER / f"{name}.npz") as file:
        stored = dict(file)
    given = {n: stored[n].astype(np.float64) for n in (*ARRAYS, "d_outputs", "d_state")}
    for i, setting in enumerate(json.loads(str(stored["settings"]))):
        label = f"{name}[{i}] {setting}"
        mask = stored.get(f"mask_{setting.pop('mask')}")
        problem = Problem(**given, mask=mask, **setting)
        expected = {n: stored[n][i] for n in ("outputs", "state")}
        gradients = None
        if "d_kernel" in stored:
            gradients = {n: stored[f"d_{n}"][i] for n in ARRAYS}
        yield label, problem, expected, gradients
