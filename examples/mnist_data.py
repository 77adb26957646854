"""Where MNIST comes from: a directory of IDX files, tensorflow-datasets, or this repository."""

import contextlib
import dataclasses
import gzip
import logging
import math
import pathlib
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import zipfile
import zlib

import numpy as np

SUBSET_FILE = pathlib.Path(__file__).parent / "data" / "mnist_subset.npz"
SUBSET_TRAIN, SUBSET_TEST = 10_000, 2_000
SUBSET_SEED = 0

DOWNLOAD_HOST = "https://storage.googleapis.com"
PROBE_SECONDS = 3
DOWNLOAD_SECONDS = 120


class DataError(ValueError):
    """The digits cannot be read; the message says which file and why, in one line."""


class NotAvailable(Exception):
    """tensorflow-datasets cannot give the digits here; the message says why."""


@dataclasses.dataclass(frozen=True)
class Digits:
    """Images `[N, 28, 28]` and labels `[N]`, both `uint8`, and a line on where they are from."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    source: str


def load(data_dir=None, full=False):
    """Reads MNIST from the first source that has it.

    Args:
        data_dir: directory of the four IDX files, gzipped or not. If `None`, tensorflow-datasets
            is asked, then the subset kept in this repository.
        full: if `True`, all digits of the source; otherwise 10,000 to train on and 2,000 to test,
            always the same ones.

    Returns:
        A `Digits`.

    Raises:
        DataError: if the files are missing or damaged, or if `full` is asked of the subset.
    """
    if data_dir is not None:
        digits = from_idx(data_dir)
    else:
        try:
            digits = from_tensorflow_datasets()
        except NotAvailable as reason:
            if full:
                raise DataError(
                    "--full needs all of MNIST and only the subset of this repository is at hand "
                    f"({reason}): give --data-dir, a directory of the four IDX files"
                ) from None
            digits = from_repository(why=str(reason))
    return digits if full else subset(digits)


def subset(digits):
    """The same 10,000 + 2,000 digits each time, or all if there are no more than that."""
    train = choose(len(digits.y_train), SUBSET_TRAIN)
    test = choose(len(digits.y_test), SUBSET_TEST)
    left_out = len(train) < len(digits.y_train) or len(test) < len(digits.y_test)
    return Digits(
        digits.x_train[train],
        digits.y_train[train],
        digits.x_test[test],
        digits.y_test[test],
        digits.source + (", a fixed part of it (--full takes all)" if left_out else ""),
    )


def choose(size, count):
    """`count` of `size` indices drawn without replacement with a fixed seed, in rising order."""
    if size <= count:
        return np.arange(size)
    generator = np.random.Generator(np.random.PCG64(SUBSET_SEED))
    return np.sort(generator.choice(size, count, replace=False))


def from_repository(why):
    """The subset of `examples/data/`, see the README there; `why` says why not all of MNIST."""
    source = f"the subset kept in this repository ({why})"
    try:
        with np.load(SUBSET_FILE) as arrays:
            names = ("x_train", "y_train", "x_test", "y_test")
            return Digits(*(arrays[name] for name in names), source=source)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{SUBSET_FILE} cannot be read: {one_line(error)}") from None


def from_idx(data_dir):
    """The four files of the original distribution, gzipped or not."""
    data_dir = pathlib.Path(data_dir)
    if not data_dir.is_dir():
        raise DataError(f"{data_dir} is not a directory")
    x_train, y_train = _read_pair(data_dir, "train")
    x_test, y_test = _read_pair(data_dir, "t10k")
    return Digits(x_train, y_train, x_test, y_test, source=f"the IDX files in {data_dir}")


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
        raise DataError(f"{labels_file} holds no labels")
    if labels.max() > 9:
        raise DataError(f"{labels_file} holds the label {labels.max()}, expected 0 to 9")
    return images, labels


def _find(data_dir, name):
    for file in (data_dir / f"{name}.gz", data_dir / name):
        if file.is_file():
            return file
    raise DataError(f"{data_dir} has neither {name}.gz nor {name}")


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
        raise DataError(f"{file} cannot be read: {one_line(error)}") from None
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise DataError(f"{file} is no IDX file of unsigned bytes: it starts with {content[:4]!r}")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"{file} is truncated: it ends within its header")
    shape = tuple(int(length) for length in np.frombuffer(content[4:start], ">u4"))
    size = math.prod(shape)
    if len(content) - start != size:
        fault = "truncated" if len(content) - start < size else "too long"
        raise DataError(
            f"{file} is {fault}: it holds {len(content) - start} values, its header says {size}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def from_tensorflow_datasets():
    """tensorflow-datasets' `mnist`, prepared by it if the network allows.

    Without a network tensorflow-datasets keeps retrying for minutes. So the host is asked first,
    and the download itself runs in a child process with a time limit.
    """
    logging.getLogger("absl").setLevel(logging.ERROR)
    try:
        import tensorflow_datasets as tfds

        builder = tfds.builder("mnist")
        if not builder.is_prepared():
            _download()
            builder = tfds.builder("mnist")
        train, test = (
            tfds.as_numpy(builder.as_dataset(split=name, batch_size=-1))
            for name in ("train", "test")
        )
    except NotAvailable:
        raise
    except Exception as error:  # noqa: BLE001  of any of its dependencies; there are other digits
        raise NotAvailable(f"tensorflow-datasets failed: {one_line(error)}") from None
    return Digits(
        np.squeeze(train["image"], -1),
        train["label"].astype(np.uint8),
        np.squeeze(test["image"], -1),
        test["label"].astype(np.uint8),
        source="tensorflow-datasets",
    )


def _download():
    if not _reachable():
        raise NotAvailable(f"no answer from {DOWNLOAD_HOST} within {PROBE_SECONDS} s")
    code = "import tensorflow_datasets as tfds; tfds.builder('mnist').download_and_prepare()"
    try:
        subprocess.run(
            [sys.executable, "-c", code],
            timeout=DOWNLOAD_SECONDS,
            check=True,
            capture_output=True,
            text=True,
        )
    except subprocess.TimeoutExpired:
        raise NotAvailable(f"the download took more than {DOWNLOAD_SECONDS} s") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines()[-1:] or ["no message"]
        raise NotAvailable(f"the download failed: {last[0]}") from None


def _reachable():
    answered = threading.Event()

    def ask():
        with contextlib.suppress(OSError):
            try:
                urllib.request.urlopen(DOWNLOAD_HOST, timeout=PROBE_SECONDS).close()
            except urllib.error.HTTPError:
                pass  # an answer all the same
            answered.set()

    # A thread, because the time limit of urlopen does not cover the look-up of the name.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return answered.is_set()


def one_line(error):
    """The error's type and the first line of its message."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
