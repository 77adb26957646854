"""Finds and loads the library with the fused TensorFlow op, once per process, at its first use."""

import ctypes
import dataclasses
import functools
import pathlib
import threading
from typing import Any

import tensorflow as tf

from addrnn import _compiled_core, _libraries, _validation
from addrnn._version import __version__
from addrnn.tensorflow import _gradient, _xla


@dataclasses.dataclass(frozen=True)
class Library:
    """The loaded library, or the reason why there is none.

    Attributes:
        ops: The module of the ops' Python functions, those of gradients among them; or None.
        settings: The library's C functions, or None.
        problem: One sentence with the reason and the remedy, or None if it is loaded.
    """

    ops: Any = None
    settings: ctypes.CDLL | None = None
    problem: str | None = None

    def text(self, name: str) -> str:
        """The text that the C function `addrnn_<name>` returns."""
        text: bytes = getattr(self.settings, f"addrnn_{name}")()
        return text.decode()


# `functools.cache` alone lets two threads load at once, and a gradient can be registered only once.
_loading = threading.Lock()


def load() -> Library:
    """Loads the library at the first call.

    Raises:
        ValueError: The environment variable `KERAS_ADDRNN_ISA` names an instruction set that is not
            compiled in, or that this machine cannot run.
    """
    with _loading:
        return _load()


@functools.cache
def _load() -> Library:
    path = _libraries.TENSORFLOW_OP
    if not path.is_file():
        return Library(problem=f"its library is missing ({path}). {_libraries.remedy()}")
    try:
        ops = tf.load_op_library(str(path))
        settings = _settings(path)
    except (tf.errors.OpError, RuntimeError, OSError, AttributeError) as error:
        return Library(problem=f"its library cannot be loaded ({error}). {_libraries.remedy()}")
    library = Library(ops, settings)
    if (built := library.text("version")) != __version__:
        return Library(
            problem=f"its library was built for keras_addrnn {built}. {_libraries.remedy()}"
        )
    _libraries.check_instruction_set(library.text("available_instruction_sets").split())
    # As many threads as TensorFlow was told to use for one op; 0 leaves it to the library.
    _set_num_threads(settings, tf.config.threading.get_intra_op_parallelism_threads())
    _gradient.register(ops)
    return library


def _set_num_threads(settings: ctypes.CDLL, n: int) -> None:
    """Of the op, and of the core that XLA calls in its place."""
    settings.addrnn_set_num_threads(ctypes.c_int(n))
    if _compiled_core.problem() is None:
        _compiled_core.set_num_threads(n)


def problem() -> str | None:
    """Why no call can run: the reason and the remedy in a sentence or two; None if calls can."""
    found = load().problem
    if found is None and tf.config.get_visible_devices("GPU"):
        return (
            "a GPU is visible, and the op runs on CPUs only. "
            "Hide it: set the environment variable CUDA_VISIBLE_DEVICES to -1."
        )
    return found


def description() -> dict[str, Any]:
    """What `keras_addrnn.info` tells of the library; None for what only a loaded one knows."""
    path, library = _libraries.TENSORFLOW_OP, load()
    found: dict[str, Any] = {"library": str(path) if path.is_file() else None}
    if library.settings is None:
        return found
    return found | {
        "built_for": library.text("built_for"),
        "instruction_set": library.text("instruction_set"),
        "available_instruction_sets": library.text("available_instruction_sets").split(),
        "threads": num_threads(),
    }


def load_library() -> None:
    """Loads the library of the op, at the first call; for a SavedModel that holds the op.

    One that XLA compiles holds calls of the compiled core: it is registered where that is possible.

    Raises:
        RuntimeError: It cannot be loaded; says why and what to do.
        ValueError: As of `load`.

    Example:

    >>> addrnn.tensorflow.load_library()
    >>> model = tf.saved_model.load("model")
    """
    loaded()
    _xla.problem()


def num_threads() -> int:
    """The number of threads that a call of the op may use.

    Returns:
        A positive integer.

    Raises:
        RuntimeError: The library cannot be loaded; says why and what to do.
    """
    return int(loaded().addrnn_num_threads())


def set_num_threads(n: int) -> None:
    """Sets `num_threads()`.

    Args:
        n: Integer; 0 stands for the number of processors that the process may run on.

    Raises:
        ValueError, TypeError: It is negative, or not an integer.
        RuntimeError: The library cannot be loaded; says why and what to do.
    """
    _set_num_threads(loaded(), _validation.integer("n", n, 0, _validation.INT32_MAX))


def loaded() -> ctypes.CDLL:
    """The library's C functions.

    Raises:
        RuntimeError: It cannot be loaded; says why and what to do.
        ValueError: As of `load`.
    """
    library = load()
    if library.settings is None:
        raise RuntimeError(f"The op cannot be used: {library.problem}")
    return library.settings


def _settings(path: pathlib.Path) -> ctypes.CDLL:
    settings = ctypes.CDLL(str(path))
    for name in ("version", "built_for", "instruction_set", "available_instruction_sets"):
        getattr(settings, f"addrnn_{name}").restype = ctypes.c_char_p
    return settings
