"""MNIST's digits: a folder of IDX files, or the subset that this repository has."""

import dataclasses
import gzip
import math
import pathlib
import zipfile
import zlib

import numpy as np

SUBSET_FILE = pathlib.Path(__file__).parents[1] / "data" / "mnist_subset.npz"
_ANEW = "Get the file anew"


class DataError(ValueError):
    """Data cannot be read or made; the message says what is wrong, and where, in one line."""


@dataclasses.dataclass(frozen=True)
class Digits:
    """Images `[N, 28, 28]` and labels `[N]`, both `uint8`, and a line on their origin."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    source: str


def load(data_dir=None):
    """Reads all digits of a source.

    Args:
        data_dir: Folder of the four IDX files, gzipped or not. If `None`, the subset of
            `examples/data` is read: 10,000 digits to train on and 2,000 to test.

    Returns:
        A `Digits`.

    Raises:
        DataError: If a file is missing or damaged.
    """
    if data_dir is None:
        return _subset()
    data_dir = pathlib.Path(data_dir)
    if not data_dir.is_dir():
        raise DataError(f"{data_dir} is not a directory: name one with the IDX files of MNIST")
    train, test = _read_pair(data_dir, "train"), _read_pair(data_dir, "t10k")
    return Digits(*train, *test, source=f"the IDX files in {data_dir}")


def _subset():
    try:
        with np.load(SUBSET_FILE) as arrays:
            names = ("x_train", "y_train", "x_test", "y_test")
            source = "the subset kept in this repository"
            return Digits(*(arrays[name] for name in names), source=source)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{SUBSET_FILE} cannot be read: {one_line(error)}. Take it from the repository anew"
        ) from None


def _read_pair(data_dir, prefix):
    images_file = _find(data_dir, f"{prefix}-images-idx3-ubyte")
    labels_file = _find(data_dir, f"{prefix}-labels-idx1-ubyte")
    images, labels = read_idx(images_file), read_idx(labels_file)
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        raise DataError(f"{images_file} holds shape {images.shape}, expected (N, 28, 28)")
    if labels.shape != images.shape[:1]:
        raise DataError(
            f"{labels_file} holds shape {labels.shape}, expected ({len(images)},), "
            f"one label for each image of {images_file.name}"
        )
    if not len(labels):
        raise DataError(f"{labels_file} holds no labels, expected at least one")
    if labels.max() > 9:
        raise DataError(f"{labels_file} holds the label {labels.max()}, expected 0 to 9")
    return images, labels


def _find(data_dir, name):
    for file in (data_dir / f"{name}.gz", data_dir / name):
        if file.is_file():
            return file
    raise DataError(
        f"{data_dir} has neither {name}.gz nor {name}: put all four IDX files of MNIST there"
    )


def read_idx(file):
    """Reads one IDX file of unsigned bytes.

    The format: two zero bytes, the type (8: unsigned byte), the number of axes, the length of
    each axis as a big-endian 32-bit integer, then the values with the last axis fastest.

    Args:
        file: path; gzipped if it ends in `.gz`.

    Returns:
        `uint8` array.

    Raises:
        DataError: if the file is missing, is no such file, or is shorter or longer than it says.
    """
    file = pathlib.Path(file)
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            content = stream.read()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file} cannot be read: {one_line(error)}. {_ANEW}") from None
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise DataError(
            f"{file} is no IDX file of unsigned bytes: it starts with {content[:4]!r}. {_ANEW}"
        )
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"{file} is truncated: it ends within its header. {_ANEW}")
    shape = tuple(int(length) for length in np.frombuffer(content[4:start], ">u4"))
    size = math.prod(shape)
    if len(content) - start != size:
        fault = "truncated" if len(content) - start < size else "too long"
        raise DataError(
            f"{file} is {fault}: it holds {len(content) - start} values, its header says {size}. "
            f"{_ANEW}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def one_line(error):
    """The error's type and the first line of its message."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
