"""Imports concrete-python, the TFHE library, at its first use.

concrete-python 2.11 imports PyTorch at the top of two modules, for convolution and max-pooling.
Nothing here uses those, and PyTorch takes several GB with CUDA. So where PyTorch is not installed,
an empty `torch` module stands in for it while concrete-python is imported, and goes afterwards.
This is the only place that does so; it can go when concrete-python imports PyTorch at its use.
"""

import contextlib
import ctypes
import functools
import importlib
import importlib.machinery
import importlib.util
import signal
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any


@functools.cache
def concrete() -> Any:
    """The module `concrete.fhe`.

    Raises:
        ImportError: It is not installed, or this process has imported TensorFlow before.
    """
    if "concrete" not in sys.modules and "tensorflow" in sys.modules:
        raise ImportError(
            "This process has imported TensorFlow, and concrete-python crashes after it. Save the "
            "integer model to a file, and load it in a process of its own."
        )
    try:
        with _torch_stand_in():
            return importlib.import_module("concrete.fhe")
    except ImportError as error:
        raise ImportError(
            "Encrypted models need concrete-python. In a clone, run `make setup-fhe` and use "
            ".venv-fhe/bin/python; elsewhere install keras_addrnn[fhe] into an environment "
            f"without TensorFlow. ({error})"
        ) from error


@contextlib.contextmanager
def running() -> Iterator[None]:
    """For the runs of a circuit: a broken pipe stays a `BrokenPipeError`, as Python has it.

    The threads of concrete-python, once they are started, would end the process by its signal.
    """
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN:
            # By C: `signal.signal` is for the main thread alone, and believes that nothing changed.
            ctypes.CDLL(None).signal(int(signal.SIGPIPE), ctypes.c_void_p(int(signal.SIG_IGN)))


@contextlib.contextmanager
def _torch_stand_in() -> Iterator[None]:
    if "torch" in sys.modules or importlib.util.find_spec("torch"):
        yield
        return
    torch: Any = types.ModuleType("torch", "Stands in for PyTorch.")
    torch.__spec__ = importlib.machinery.ModuleSpec("torch", None)
    torch.__getattr__ = _missing_function
    sys.modules["torch"] = torch
    try:
        yield
    finally:
        del sys.modules["torch"]


def _missing_function(name: str) -> Callable[..., None]:
    if name.startswith("__"):
        raise AttributeError(name)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"torch.{name} needs PyTorch, which is not installed.")

    return refuse
