"""Keras without what TensorFlow logs, for programs whose output a person reads."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from types import ModuleType


def import_keras() -> ModuleType:
    """Imports Keras and its backend; what TensorFlow logs then and later is not shown.

    TensorFlow's setting `TF_CPP_MIN_LOG_LEVEL` does not hide what it logs while it is imported.
    Where the setting is given, everything is left to it.
    """
    shown = "TF_CPP_MIN_LOG_LEVEL" in os.environ
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with contextlib.nullcontext() if shown else _no_stderr():
        import keras
    if not shown:
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return keras


@contextlib.contextmanager
def _no_stderr() -> Iterator[None]:
    """Sends what this process writes to file descriptor 2, from C++ too, nowhere."""
    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)
