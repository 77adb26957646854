"""The compiled module `addrnn._core`. Without it, everything that needs no kernel still works."""

import functools
import importlib
from typing import Any

from addrnn import _libraries, _validation
from addrnn._version import __version__


@functools.cache
def problem() -> str | None:
    """Why the compiled core cannot be used, and what to do; None if it can."""
    try:
        core = importlib.import_module("addrnn._core")
    except ImportError as error:
        return f"The compiled core cannot be loaded ({error}). {_libraries.remedy()}"
    if core.version != __version__:
        return f"The compiled core was built for keras_addrnn {core.version}. {_libraries.remedy()}"
    return None


NO_SECOND_GRADIENT = (
    "The fused op has no second-order gradient. In Keras, use "
    'implementation="composed" for a model whose gradients are differentiated again.'
)


def load() -> Any:
    """The module.

    Raises:
        RuntimeError: It cannot be used; says why and what to do.
    """
    if reason := problem():
        raise RuntimeError(reason)
    return importlib.import_module("addrnn._core")


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


def num_threads() -> int:
    """The number of threads that a call of the compiled core may use.

    Returns:
        A positive integer.

    Raises:
        RuntimeError: There is no compiled core; says what to do.
    """
    return int(load().num_threads())


def set_num_threads(n: int) -> None:
    """Sets `num_threads()`, for all calls of the compiled core in the process.

    Args:
        n: Integer; 0 stands for the number of processors that the process may run on.

    Raises:
        ValueError, TypeError: It is negative, or not an integer.
        RuntimeError: There is no compiled core; says what to do.
    """
    load().set_num_threads(_validation.integer("n", n, 0, _validation.INT32_MAX))
