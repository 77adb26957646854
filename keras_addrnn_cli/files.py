"""The files of the command line: models and samples to read, and where to write."""

import os
import textwrap
import zipfile
from typing import Any

from addrnn._atomic_file import checked_path
from keras_addrnn_cli import quiet


def read_model(path: str) -> Any:
    """The Keras model of a `.keras` file.

    Raises:
        OSError: There is no such file, or it cannot be read.
        ValueError: It is the file of something else, or damaged.
    """
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
    """The arrays of an `.npz` file, by name.

    Raises:
        OSError: There is no such file, or it cannot be read.
        ValueError: It is the file of something else, damaged, or empty.
    """
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
            f"'{path}' holds something else than arrays, or none: np.savez(path, x=samples) writes "
            "one that does."
        )
    return arrays


def samples(arrays: dict[str, Any], model: Any, path: str) -> Any:
    """What of the arrays are samples of the model's inputs.

    Args:
        arrays: From `read_arrays`.
        model: A Keras model.
        path: The file that they are from, for an error.

    Returns:
        For a model with one input the array of its name, or `x`, or the only one there is; for
        others all of them.

    Raises:
        ValueError: None of them can be told to be that.
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
    """The path of the file to write.

    Args:
        path: As it was given.
        suffix: What it must end in.
        sources: Files that are read, each a path or None.

    Raises:
        OSError: A source is missing.
        ValueError: It ends in something else, is in no directory, or is one of the sources.
    """
    if not path.endswith(suffix):
        raise ValueError(f"The file to write must be named *{suffix}. Received: {path}")
    checked_path(path)
    for source in sources:
        if source is not None and os.path.exists(path) and os.path.samefile(path, source):
            raise ValueError(
                f"'{path}' and '{source}' are the same file, which would be lost. Write another."
            )
    return path


def _one_line(error: Exception) -> str:
    # Keras puts a configuration of many pages before and behind what it has to say.
    message = str(error).rpartition("Exception encountered: ")[2]
    message = message.partition(" Full object config")[0]
    return textwrap.shorten(message, 400) or type(error).__name__
