"""The files of the command line: models and samples to read, and where to write.

Each function raises an `OSError` for a file that is missing or cannot be read. It raises a
`ValueError` for one that is damaged, or not the file that the command needs.
"""

import os
import textwrap
import zipfile
from typing import Any

from addrnn._atomic_file import checked_path
from keras_addrnn_cli import quiet


def read_model(path: str) -> Any:
    """The Keras model of a `.keras` file."""
    open(path, "rb").close()  # Keras' own words about a missing file are many
    if not path.endswith(".keras") or not zipfile.is_zipfile(path):
        raise ValueError(
            f"'{path}' is not a .keras file, or it is damaged: model.save('a.keras') writes one."
        )
    keras = quiet.import_keras()
    import keras_addrnn  # noqa: F401  registers the layers

    try:
        return keras.saving.load_model(path)
    except Exception as error:  # whatever its content leads to
        raise ValueError(f"'{path}' cannot be loaded: {_one_line(error)}") from error


def read_arrays(path: str) -> dict[str, Any]:
    """The arrays of an `.npz` file, by name."""
    import numpy as np

    open(path, "rb").close()
    try:
        with np.load(path) as file:
            arrays = dict(file)
    except Exception as error:  # of NumPy, zipfile or zlib, whatever its content leads to
        raise ValueError(
            f"'{path}' is not an .npz file of arrays, or it is damaged ({_one_line(error)}). "
            "np.savez(path, x=samples) writes one."
        ) from error
    if not arrays or not all(isinstance(value, np.ndarray) for value in arrays.values()):
        raise ValueError(
            f"'{path}' must hold arrays of numbers, and holds none or something else. "
            "np.savez(path, x=samples) writes such a file."
        )
    return arrays


def samples(arrays: dict[str, Any], model: Any, path: str) -> Any:
    """The samples of the model's inputs, among the arrays of a file.

    For a model with one input that is the array of its name, or `x`, or the only one there is; for
    others all of them.
    """
    names = [tensor.name for tensor in getattr(model, "inputs", None) or ()]
    if len(names) > 1:
        return arrays
    for name in (*names, "x"):
        if name in arrays:
            return arrays[name]
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    raise ValueError(
        f"'{path}' must hold the samples as its only array, or named "
        f"{' or '.join(repr(name) for name in (*names, 'x'))}. Received: {sorted(arrays)}"
    )


def checked_output(path: str, suffix: str, *sources: str | None) -> str:
    """The path of the file to write, which must be none of the sources, files that are read."""
    if not path.endswith(suffix):
        raise ValueError(f"The file to write must be named *{suffix}. Received: {path}")
    checked_path(path)
    for source in sources:
        if source is not None and os.path.exists(path) and os.path.samefile(path, source):
            raise ValueError(
                f"'{path}' and '{source}' are the same file, which would be lost. Name another to "
                "write."
            )
    return path


def _one_line(error: Exception) -> str:
    # Keras puts a configuration of many pages before and behind what it has to say.
    message = str(error).rpartition("Exception encountered: ")[2]
    message = message.partition(" Full object config")[0]
    return textwrap.shorten(message, 400) or type(error).__name__
