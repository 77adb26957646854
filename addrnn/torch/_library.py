"""The compiled core, which PyTorch's tensors share with NumPy's arrays: whether it can be used."""

import functools
from typing import Any

import torch
from torch.autograd import forward_ad

from addrnn import _compiled_core, _libraries


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
    return {} if problem() else _compiled_core.description()


def exporting() -> bool:
    """Whether PyTorch traces a model for a process which may not have this package."""
    return bool(
        torch.compiler.is_exporting() or torch.jit.is_tracing() or torch.onnx.is_in_onnx_export()
    )


def in_forward_mode() -> bool:
    """Whether PyTorch computes tangents (`torch.func.jvp`), of which the operators have none."""
    return not torch.compiler.is_compiling() and forward_ad._current_level >= 0


def num_threads() -> int:
    """The number of threads that a call may use: at first, that of PyTorch at the first call.

    Returns:
        A positive integer.

    Raises:
        RuntimeError: There is no compiled core; says what to do.

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
    load()
    _compiled_core.set_num_threads(n)
