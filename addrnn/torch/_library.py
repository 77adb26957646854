"""The compiled core, which PyTorch's tensors share with NumPy's arrays: whether it can be used."""

import functools
from typing import Any

import torch

from addrnn import _compiled_core, _libraries, _validation


@functools.cache
def load() -> Any:
    """The module, with as many threads as PyTorch uses for one operation at the first call.

    Raises:
        RuntimeError: It cannot be used; says why and what to do.
        ValueError: The environment variable `KERAS_ADDRNN_ISA` names an instruction set that is not
            compiled in, or that this machine cannot run.
    """
    core = _compiled_core.load()
    _libraries.check_instruction_set(core.available_instruction_sets().split())
    core.set_num_threads(torch.get_num_threads())
    return core


def problem() -> str | None:
    """Why no call can run: the reason and the remedy in a sentence or two; None if calls can."""
    found = _compiled_core.problem()
    if found is None:
        load()
    return found


def description() -> dict[str, Any]:
    """What `keras_addrnn.info` tells of the core; nothing where it cannot be used."""
    if problem() is not None:
        return {}
    core = load()
    return {
        "library": core.__file__,
        "instruction_set": core.instruction_set(),
        "available_instruction_sets": core.available_instruction_sets().split(),
        "threads": num_threads(),
    }


def exporting() -> bool:
    """Whether PyTorch traces a model for a process which may not have this package."""
    return bool(
        torch.compiler.is_exporting() or torch.jit.is_tracing() or torch.onnx.is_in_onnx_export()
    )


def num_threads() -> int:
    """The number of threads that a call may use.

    Example:

    >>> addrnn.torch.num_threads() >= 1
    True
    """
    return int(load().num_threads())


def set_num_threads(n: int) -> None:
    """Sets `num_threads()`, which `torch.set_num_threads` does not change after the first call.

    Args:
        n: Integer; 0 stands for the number of processors that the process may run on.

    Raises:
        ValueError, TypeError: It is negative, or not an integer.
        RuntimeError: There is no compiled core; says what to do.

    Example:

    >>> addrnn.torch.set_num_threads(2)
    """
    load().set_num_threads(_validation.integer("n", n, 0, _validation.INT32_MAX))
