"""The recurrence by the project's compiled kernels, and whether they can run.

`addrnn` has a module for each framework that Keras may run on. They have the same private parts:
`_op.run`, `_min_op.run`, `_library.problem` and `_library.description`.
"""

import importlib
import importlib.util
from typing import Any

import keras

from addrnn.gate import ACTIVATIONS, DTYPES, Gate
from addrnn.sequence import SequenceTensors
from addrnn.window_sequence import WindowTensors
from keras_addrnn import _keras_private


def run(tensors: SequenceTensors, *, gate: Gate, go_backwards: bool, training: bool):
    """As `addrnn.tensorflow.add_gru`, for tensors that fit; `[B, D]` are one step."""
    return _module("_op").run(tensors, gate=gate, go_backwards=go_backwards, training=training)


def run_window(tensors: WindowTensors, *, gate: Gate, go_backwards: bool, training: bool):
    """As `addrnn.tensorflow.min_add_gru`, for tensors that fit."""
    return _module("_min_op").run(
        tensors, activation=gate.activation, go_backwards=go_backwards, training=training
    )


def why_not(
    dtype: str, gate: Gate, *, demanded: bool = False, lowering: bool = False
) -> str | None:
    """Why the fused op cannot be used here and now: the reason and the remedy, or None if it can.

    An op that is demanded goes into an exported graph too, which then needs the library. One that
    `keras_addrnn.lite` lowers goes into any graph.
    """
    return missing() or why_not_for(dtype, gate) or (None if lowering else _why_not_here(demanded))


def why_not_for(dtype: str, gate: Gate) -> str | None:
    """Why the op has no kernel for a dtype and an activation; None if it has one."""
    if dtype not in DTYPES:
        return f"it has no kernel for dtype {dtype}. Use one of {', '.join(DTYPES)}."
    if not gate.has_kernel:
        name = getattr(gate.activation, "__name__", gate.activation)
        return f"it has no activation {name!r}. Use one of {', '.join(ACTIVATIONS)}."
    return None


def missing() -> str | None:
    """Why the process has no fused op at all: the reason and the remedy, or None if it has one."""
    if not _has_op():
        return (
            f"Keras runs on {keras.backend.backend()}. "
            "Set the environment variable KERAS_BACKEND to tensorflow, jax or torch."
        )
    return _module("_library").problem() or _on_a_gpu()


def description() -> dict[str, Any]:
    """What `keras_addrnn.info` tells of the op's library, as far as there is one."""
    return _module("_library").description() if _has_op() else {}


def _has_op():
    return importlib.util.find_spec(f"addrnn.{keras.backend.backend()}") is not None


def _module(name):
    """A module of the part of `addrnn` for the framework that Keras runs on."""
    return importlib.import_module(f"addrnn.{keras.backend.backend()}.{name}")


def _on_a_gpu():
    """Why the op cannot run where Keras puts PyTorch's tensors, if they are not on a CPU."""
    device = _keras_private.torch_device() if keras.backend.backend() == "torch" else "cpu"
    if device.partition(":")[0] in ("cpu", "meta"):  # on "meta" Keras finds out shapes
        return None
    return (
        f"Keras computes on {device}, and the op runs on CPUs only. "
        "Set the environment variable KERAS_TORCH_DEVICE to cpu."
    )


COMPOSED_ONLY = 'it knows neither unroll=True nor recurrent dropout. Use implementation="auto".'
EXPORTED = "the model is being exported, for processes which may not have this package."


def why_not_jit_compiled() -> str | None:
    """Why the op cannot go into a model with `jit_compile=True`; None if it can."""
    return _module("_xla").problem() if keras.backend.backend() == "tensorflow" else None


def supports_jit(implementation: str) -> bool:
    """Whether a layer may be in a model with `jit_compile=True`: "auto" composes it if need be."""
    return implementation != "fused" or why_not_jit_compiled() is None


def _why_not_here(demanded):
    """Why the op cannot go into the graph that is being traced, if any."""
    backend = keras.backend.backend()
    if backend == "torch":
        return _why_not_in_torch(demanded)
    if not _keras_private.tracing():
        return None
    in_xla = backend == "tensorflow" and _module("_xla").tracing()
    if in_xla and (reason := why_not_jit_compiled()):
        return reason
    exporter = _keras_private.exporter()
    if exporter is not None and not demanded:
        return EXPORTED
    if exporter == "litert":
        return (
            "LiteRT's converter does not know the op. Use keras_addrnn.lite.convert(model, "
            'path, ops="fused"), or implementation="auto".'
        )
    return None


def _why_not_in_torch(demanded):
    library = _module("_library")
    if library.in_forward_mode():
        return "it has no forward-mode derivative (torch.func.jvp). Use reverse mode."
    return EXPORTED if library.exporting() and not demanded else None
