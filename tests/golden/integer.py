"""Vectors that every executor of the integer model must reproduce bit for bit; how to read them.

`integer_<group>.npz` holds a JSON list `cases`, and for the case of index `i` arrays `<i>.<name>`:

    inputs [B, T, D] int8 or int16; mask [B, T] bool, where there is one; outputs
    <layer>.<field>        the arrays of each layer, named as in `IntegerAddGRU` and `IntegerDense`

A case of one layer has `initial_state` [B, H] too, where there is one, and `state` [B, H], what it
leaves; its `outputs` are the states of all steps. Those of a model are what `IntegerModel.run`
returns. Groups of `IntegerMinAddGRU` begin with `min_`, and may have `initial_inputs` [B, w-1, D].
`make_integer.py` and `make_min_integer.py` made them.
"""

import dataclasses
import json

import numpy as np

from addrnn import IntegerAddGRU, IntegerDense, IntegerMinAddGRU, IntegerModel, Quantization
from tests.golden import FOLDER

LAYER_GROUPS = ("sizes", "bits", "adversarial", "masks")
MIN_LAYER_GROUPS = ("min_sizes", "min_bits", "min_adversarial", "min_masks")
_CLASSES = {kind.__name__: kind for kind in (IntegerAddGRU, IntegerDense, IntegerMinAddGRU)}


@dataclasses.dataclass(frozen=True)
class LayerCase:
    """What an executor of one layer gets, and what it must give."""

    label: str
    layer: IntegerAddGRU | IntegerMinAddGRU
    inputs: np.ndarray
    initial_state: np.ndarray | None
    mask: np.ndarray | None
    initial_inputs: np.ndarray | None
    outputs: np.ndarray
    state: np.ndarray


@dataclasses.dataclass(frozen=True)
class ModelCase:
    """What an executor of a model gets, and what it must give."""

    label: str
    model: IntegerModel
    inputs: np.ndarray
    mask: np.ndarray | None
    outputs: np.ndarray


def layer_cases(groups=LAYER_GROUPS):
    """Yields each `LayerCase` of these groups."""
    for group in groups:
        for label, _, (layer,), arrays in _read(group):
            names = ("inputs", "initial_state", "mask", "initial_inputs", "outputs", "state")
            yield LayerCase(label, layer, *(arrays.get(name) for name in names))


def model_cases(group="models"):
    """Yields each `ModelCase`; `"min_models"` are those with an `IntegerMinAddGRU`."""
    for label, inputs, layers, arrays in _read(group):
        model = IntegerModel(Quantization(**inputs), layers)
        yield ModelCase(label, model, arrays["inputs"], arrays.get("mask"), arrays["outputs"])


def _read(group):
    """Yields each case's label, its `Quantization`'s numbers or None, its layers and arrays."""
    with np.load(FOLDER / f"integer_{group}.npz") as file:
        stored = dict(file)
    for index, case in enumerate(json.loads(str(stored["cases"]))):
        arrays = _below(f"{index}.", stored)
        layers = [
            _CLASSES[kind](**numbers, **_below(f"{number}.", arrays))
            for number, (kind, numbers) in enumerate(case["layers"])
        ]
        yield f"{group}[{index}] {case['label']}", case["affine"], layers, arrays


def _below(prefix, arrays):
    return {n.removeprefix(prefix): value for n, value in arrays.items() if n.startswith(prefix)}
