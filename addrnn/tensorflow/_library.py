"""Finds and loads the library with the fused TensorFlow op, once per process, at its first use."""

import ctypes
import dataclasses
import functools
import os
import threading

from addrnn import _libraries
from addrnn._version import __version__

LIBRARY = _libraries.TENSORFLOW_OP


@dataclasses.dataclass(frozen=True)
class Library:
    """The loaded library, or the reason why there is none.

    Attributes:
        ops: The module of the ops' Python functions, `add_gru` and `add_gru_grad`, or None.
        settings: The library's C functions, or None.
        problem: One sentence with the reason and the remedy, or None if it is loaded.
    """

    ops: object = None
    settings: ctypes.CDLL | None = None
    problem: str | None = None

    def text(self, name):
        """What the C function `addrnn_<name>` says."""
        return getattr(self.settings, f"addrnn_{name}")().decode()


# `functools.cache` alone lets two threads load at once, and a gradient can be registered only once.
_loading = threading.Lock()


def load():
    """Loads the library at the first call; the Keras backend must be TensorFlow.

    Raises:
        ValueError: The environment variable `KERAS_ADDRNN_ISA` names an instruction set that is not
            compiled in, or that this machine cannot run.
    """
    with _loading:
        return _load()


@functools.cache
def _load():
    import tensorflow as tf

    if not LIBRARY.is_file():
        return Library(problem=f"its library is missing ({LIBRARY}). {_libraries.remedy()}")
    try:
        ops = tf.load_op_library(str(LIBRARY))
        library = Library(ops, _settings())
    except (tf.errors.OpError, RuntimeError, OSError, AttributeError) as error:
        return Library(problem=f"its library cannot be loaded ({error}). {_libraries.remedy()}")
    if library.text("version") != __version__:
        built = library.text("version")
        return Library(
            problem=f"its library was built for keras_addrnn {built}. {_libraries.remedy()}"
        )
    _check_instruction_set(library)
    # As many threads as TensorFlow was told to use for one op; 0 leaves it to the library.
    set_num_threads(tf.config.threading.get_intra_op_parallelism_threads(), library)

    from addrnn.tensorflow import _gradient

    _gradient.register(ops)
    return library


def num_threads():
    """The number of threads that a call of the fused op may use."""
    return load().settings.addrnn_num_threads()


def set_num_threads(n, library=None):
    """Sets `num_threads()`; 0 stands for the number of processors that the process may run on."""
    (library or load()).settings.addrnn_set_num_threads(ctypes.c_int(n))


def _settings():
    settings = ctypes.CDLL(str(LIBRARY))
    for name in ("version", "built_for", "instruction_set", "available_instruction_sets"):
        getattr(settings, f"addrnn_{name}").restype = ctypes.c_char_p
    return settings


def _check_instruction_set(library):
    requested = os.environ.get("KERAS_ADDRNN_ISA")
    available = library.text("available_instruction_sets").split()
    if requested and requested not in available:
        raise ValueError(
            f"The environment variable KERAS_ADDRNN_ISA is {requested!r}, which this machine or "
            f"this build does not have. Expected one of {available}, or leave it unset."
        )
