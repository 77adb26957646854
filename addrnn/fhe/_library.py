"""Imports concrete-python, the TFHE library, when it is first needed."""

import contextlib
import functools
import importlib
import importlib.machinery
import importlib.util
import sys
import types


@functools.cache
def concrete():
    """The module `concrete.fhe`.

    Raises:
        ImportError: It is not installed, or this process has TensorFlow already.
    """
    if "concrete" not in sys.modules and "tensorflow" in sys.modules:
        raise ImportError(
            "This process has imported TensorFlow, and concrete-python crashes behind it. Save the "
            "integer model to a file, and load it in a process of its own."
        )
    try:
        with _without_torch():
            return importlib.import_module("concrete.fhe")
    except ImportError as error:
        raise ImportError(
            "Encrypted models need concrete-python. In a clone, run `make setup-fhe` and use "
            ".venv-fhe/bin/python; elsewhere install keras_addrnn[fhe] into an environment "
            f"without TensorFlow. ({error})"
        ) from error


@contextlib.contextmanager
def _without_torch():
    """Lets concrete-python be imported where there is no PyTorch.

    It asks for PyTorch, several GB with CUDA, at import, for convolution and pooling alone. In its
    place stands a module whose functions refuse to be called, for the time of the import.
    """
    if "torch" in sys.modules or importlib.util.find_spec("torch"):
        yield
        return
    torch = types.ModuleType("torch", "Stands in for PyTorch while concrete-python is imported.")
    torch.__spec__ = importlib.machinery.ModuleSpec("torch", None)
    torch.__getattr__ = _absent
    sys.modules["torch"] = torch
    try:
        yield
    finally:
        del sys.modules["torch"]


def _absent(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def refuse(*args, **kwargs):
        raise NotImplementedError(f"torch.{name} needs PyTorch, which is not installed.")

    return refuse
