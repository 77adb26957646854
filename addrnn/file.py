"""The file of an integer model: safetensors, with a version and a checksum."""

import dataclasses
import hashlib
import json
import os
import pathlib
import stat
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from addrnn._atomic_file import checked_path, replacing
from addrnn.layers import IntegerAddGRU, IntegerDense, IntegerMinAddGRU, Layer
from addrnn.quantization import Quantization

Model = TypeVar("Model")

SIZE_LIMIT = 2**30  # bytes: far above any model, far below what a machine cannot read

# One key only: safetensors writes several in an order that changes from process to process.
_KEY = "addrnn.integer_model"
# The layers that a file may hold, and the first version of the format that has each. A file is of
# the least version that has its layers, so that an older library reads what it can run.
_CLASSES: dict[str, tuple[type[Layer], int]] = {
    "IntegerAddGRU": (IntegerAddGRU, 1),
    "IntegerDense": (IntegerDense, 1),
    "IntegerMinAddGRU": (IntegerMinAddGRU, 2),
}
VERSIONS = (1, 2)


def save(inputs: Quantization, model_layers: Sequence[Layer], path: str | os.PathLike[str]) -> None:
    """Writes the parts of an `IntegerModel`; the same parts give the same bytes.

    Raises:
        ValueError: `path` is not that of a file in a directory, or the model is larger than `load`
            reads.
    """
    path = checked_path(path)
    tensors: dict[str, npt.NDArray[Any]] = {}
    layers = []
    for index, layer in enumerate(model_layers):
        config: dict[str, Any] = {"class": type(layer).__name__}
        for field in dataclasses.fields(layer):
            value = getattr(layer, field.name)
            if isinstance(value, np.ndarray):
                tensors[f"{index}.{field.name}"] = value
            elif value is not None:
                config[field.name] = value
        layers.append(config)
    about: dict[str, Any] = {
        "version": max((_CLASSES[config["class"]][1] for config in layers), default=1),
        "inputs": dataclasses.asdict(inputs),
        "layers": layers,
    }
    about["sha256"] = _checksum(about, tensors)
    content = _safetensors().save(tensors, metadata={_KEY: json.dumps(about, sort_keys=True)})
    if len(content) > SIZE_LIMIT:
        raise ValueError(
            f"The model takes {len(content)} bytes, and its file may have {SIZE_LIMIT} at most. "
            "Use fewer units."
        )
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def load(path: str | os.PathLike[str], make: Callable[[Quantization, list[Layer]], Model]) -> Model:
    """Reads what `save` wrote, and makes a model of it.

    Args:
        path: Path of the file.
        make: The model's class, called with its parts. Errors that it raises are the file's.

    Returns:
        What `make` returns.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is the file of something else, of a newer version, damaged, or larger than
            any model.
    """
    path = pathlib.Path(path)
    safetensors = _safetensors()
    content = _content(path)
    try:
        tensors = safetensors.load(content)
        (length,) = np.frombuffer(content[:8], "<u8")
        header = json.loads(content[8 : 8 + int(length)])
        about = json.loads(header["__metadata__"][_KEY])
        version = about["version"]
    except Exception as error:  # of safetensors' own, or whatever its content leads to
        raise ValueError(
            f"'{path}' is not the file of an integer model: IntegerModel.save writes one."
        ) from error
    if type(version) is not int or version not in VERSIONS:
        raise ValueError(
            f"'{path}' is of version {version!r}, and this keras_addrnn reads versions "
            f"{VERSIONS[0]} to {VERSIONS[-1]}. Install the keras_addrnn that wrote it, or quantize "
            "the Keras model anew."
        )
    try:
        if about.pop("sha256", None) != _checksum(about, tensors):
            raise ValueError("its checksum is wrong")
        layers = [
            _layer(index, config, tensors, version) for index, config in enumerate(about["layers"])
        ]
        return make(Quantization(**about["inputs"]), layers)
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(
            f"'{path}' is damaged: {_one_line(error)}. Copy it or save the model anew."
        ) from error


def _content(path: pathlib.Path) -> bytes:
    about = path.stat()
    if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
        raise ValueError(
            f"'{path}' is a device or a pipe, not the file of an integer model. Give a file that "
            "IntegerModel.save wrote."
        )
    with path.open("rb") as opened:
        content = b"" if about.st_size > SIZE_LIMIT else opened.read(SIZE_LIMIT + 1)
    size = max(about.st_size, len(content))
    if size > SIZE_LIMIT:
        raise ValueError(
            f"'{path}' has {size} bytes, and the file of an integer model at most {SIZE_LIMIT}. "
            "Give a file that IntegerModel.save wrote."
        )
    return content


def _one_line(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error).rstrip(".")


def _layer(
    index: int, config: dict[str, Any], tensors: dict[str, npt.NDArray[Any]], version: int
) -> Layer:
    prefix = f"{index}."
    arrays: dict[str, Any] = {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
    kind, since = _CLASSES[config["class"]]
    if version < since:
        raise ValueError(f"version {version} has no {kind.__name__}")
    return kind(**{name: value for name, value in config.items() if name != "class"}, **arrays)


def _checksum(about: Any, tensors: dict[str, npt.NDArray[Any]]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype.str} {value.shape}".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "The file of an integer model is read and written by safetensors. Run `pip install "
            "safetensors`, or install keras_addrnn[integer]."
        ) from error
    return safetensors.numpy
