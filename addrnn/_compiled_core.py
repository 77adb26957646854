"""The compiled module `addrnn._core`. Without it, everything that needs no kernel still works."""

import functools
import importlib
from typing import Any

from addrnn import _libraries
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


def load() -> Any:
    """The module.

    Raises:
        RuntimeError: It cannot be used; says why and what to do.
    """
    if reason := problem():
        raise RuntimeError(reason)
    return importlib.import_module("addrnn._core")
