"""What this process has of keras_addrnn."""

import keras

from addrnn import __version__, _libraries
from keras_addrnn.ops import _fused


def info():
    """Tells which implementation this process uses, and why.

    Returns:
        A dict: `version` of keras_addrnn; `keras` and `backend`, the version and backend of Keras;
        `fused`, whether `implementation="auto"` means the fused op; `why_not`, the reason and the
        remedy if it does not; `library`, the path of the op's library; and, None where it is not
        loaded, `built_for`, `instruction_set`, `available_instruction_sets` and `threads`.

    Example:

    >>> keras_addrnn.info()["fused"]
    True
    """
    library = _libraries.TENSORFLOW_OP
    why_not = _fused.missing()
    found = {
        "version": __version__,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "fused": why_not is None,
        "why_not": why_not,
        "library": str(library) if library.is_file() else None,
        "built_for": None,
        "instruction_set": None,
        "available_instruction_sets": None,
        "threads": None,
    }
    if found["backend"] == "tensorflow":
        from addrnn.tensorflow import _library

        loaded = _library.load()
        if loaded.settings is None:
            return found
        found["built_for"] = loaded.text("built_for")
        found["instruction_set"] = loaded.text("instruction_set")
        found["available_instruction_sets"] = loaded.text("available_instruction_sets").split()
        found["threads"] = loaded.settings.addrnn_num_threads()
    return found
