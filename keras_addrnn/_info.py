"""Tells which implementation runs, in this process and in each layer of a model."""

from typing import Any

import keras

from addrnn import __version__, _validation
from keras_addrnn import _keras_private
from keras_addrnn.layers import AddGRU, AddGRUCell, MinAddGRU
from keras_addrnn.ops import _fused
from keras_addrnn.ops.add_gru import AddGruSequence, AddGruStep
from keras_addrnn.ops.min_add_gru import MinAddGruSequence
from keras_addrnn.quantization._fake_quantized import FakeQuantizedRecurrent

_PARTS = (
    AddGRU,
    AddGRUCell,
    AddGruSequence,
    AddGruStep,
    FakeQuantizedRecurrent,
    MinAddGRU,
    MinAddGruSequence,
)


def info(target: keras.layers.Layer | None = None) -> dict[str, Any] | list[dict[str, Any]]:
    """Tells which implementation runs, and why: in this process, or in each layer of a model.

    Args:
        target: A model or a layer. None for the process.

    Returns:
        Without a target, a dict: `version` of keras_addrnn; `keras` and `backend`, the version and
        backend of Keras; `fused`, whether `implementation="auto"` means the fused op; `why_not`,
        the reason and the remedy if it does not; `library`, the path of the op's library; and, None
        where it is not loaded, `built_for`, `instruction_set`, `available_instruction_sets` and
        `threads`.

        With a target, a list with a dict for each addition-gated layer, cell and operation in it,
        however deep:

        - `layer`: its path in the model, or its name where it is not built yet.
        - `class`: the name of its class.
        - `inference` and `training`: `"fused"`, `"composed"`, or `"error"` where
          `implementation="fused"` is demanded and cannot run.
        - `why`: why not the fused op, in one sentence; None where that runs in both.

        A model's `jit_compile` counts, which Keras uses in `fit`, `evaluate` and `predict`. What
        cannot be seen in a model is not told: an export, or a `tf.function` of the user's own.

    Raises:
        TypeError: `target` is not a Keras layer.

    Example:

    >>> keras_addrnn.info()["fused"]
    True
    >>> model = keras.Sequential([keras.Input((10, 8)), keras_addrnn.AddGRU(4, activation="gelu")])
    >>> keras_addrnn.info(model)[0]["inference"]
    'composed'
    >>> keras_addrnn.info(model)[0]["why"]
    "it has no activation 'gelu'. Use one of linear, relu, hard_tanh, tanh."
    """
    if target is None:
        return _of_the_process()
    if not isinstance(target, keras.layers.Layer):
        raise _validation.type_error("target", "be a Keras model or layer, or None", repr(target))
    jit_compile = isinstance(target, keras.Model) and target.jit_compile
    return [_of_one(part, jit_compile) for part in _recurrent_parts(target)]


def _of_the_process():
    why_not = _fused.missing()
    return {
        "version": __version__,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "fused": why_not is None,
        "why_not": why_not,
        "library": None,
        "built_for": None,
        "instruction_set": None,
        "available_instruction_sets": None,
        "threads": None,
    } | _fused.description()


def _recurrent_parts(target):
    """The addition-gated layers, cells and operations within; no cell of a layer that is listed."""
    parts, held = [], set()
    for layer in _keras_private.flatten_layers(target):
        for part in (layer, *_keras_private.operations(layer)):
            if isinstance(part, AddGRU):
                held.add(id(part.cell))
            if isinstance(part, FakeQuantizedRecurrent):
                held |= {id(part.layer), id(getattr(part.layer, "cell", None))}
            if isinstance(part, _PARTS) and part not in parts:
                parts.append(part)
    return [part for part in parts if id(part) not in held]


def _of_one(part, jit_compile):
    always, in_training = _why_not_fused(part, jit_compile), None
    if always is None and getattr(part, "recurrent_dropout", 0):
        in_training = (
            f"it has no recurrent dropout, which training applies. Received: "
            f"recurrent_dropout={part.recurrent_dropout}."
        )
    demanded = getattr(part, "implementation", None) == "fused"
    otherwise = "error" if demanded else "composed"
    return {
        "layer": getattr(part, "path", None) or part.name,
        "class": type(part).__name__,
        "inference": otherwise if always else "fused",
        "training": otherwise if always or in_training else "fused",
        "why": always or in_training,
    }


def _why_not_fused(part, jit_compile):
    """Why a layer, cell or operation does not run the fused op, in inference either."""
    if isinstance(part, FakeQuantizedRecurrent):
        return "it is composed for quantization-aware training, in floats that stand for integers."
    if part.implementation == "composed":
        return 'it is told to be composed. Use implementation="auto".'
    if getattr(part, "unroll", False):
        return "unroll=True writes the steps out. Use unroll=False."
    reason = _fused.missing() or _fused.why_not_for(_dtype(part), part.gate)
    return reason or (_fused.why_not_jit_compiled() if jit_compile else None)


def _dtype(part):
    if isinstance(part, keras.layers.Layer):
        return part.compute_dtype
    return _keras_private.inbound_node(part, 0).outputs[0].dtype
