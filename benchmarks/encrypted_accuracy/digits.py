"""The tasks: UCI's digits of 8 by 8 pixels, MNIST's of 14 by 14, and spoken vowels.

A step reads some columns of a picture.
"""

import dataclasses
import gzip
from collections.abc import Callable

import numpy as np

from addrnn.quantization import Quantization
from benchmarks.encrypted_accuracy import vowels
from benchmarks.encrypted_accuracy.vowels import PADDING as PADDING

INK = 16  # one of UCI's pixels counts the dots of ink among the 4 by 4 that it stands for
LEVELS = 3
# Ink of 0, 1/2 and 1 as -1, 0 and 1: a sum goes as far up as down, and needs no bit for an offset.
INPUTS = Quantization(2, 0.5, -1)
INPUT_RANGE = -1, 1


def steps(images, count):
    """Pixels of 0 to 1, `[N, rows, columns]`, as integers `[N, count, features]`."""
    columns = np.swapaxes(images, 1, 2).reshape(len(images), count, -1)
    return INPUTS.quantize(columns)


def split():
    """UCI's pixels of 0 to `INK` to train on and to test with, then labels for both."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    options = {"test_size": 360, "random_state": 0, "stratify": digits.target}
    return train_test_split(digits.images.astype(int), digits.target, **options)


def uci(count, data_dir=None):
    """Integers to train on, with varied copies, their labels; integers and labels to test with."""
    images, test, labels, test_labels = split()
    images = varied(np.float32(images) / INK, np.random.default_rng(1))
    return steps(images, count), np.resize(labels, len(images)), *uci_test(count)


def uci_test(count, data_dir=None):
    """Those to test with alone."""
    _, test, _, labels = split()
    return steps(test / INK, count), labels


def mnist(count, data_dir):
    """The same of MNIST, each pixel the mean of 2 by 2."""
    images, labels = _idx(data_dir, "train")
    return steps(images, count), labels, *mnist_test(count, data_dir)


def mnist_test(count, data_dir):
    images, labels = _idx(data_dir, "t10k")
    return steps(images, count), labels


def _idx(data_dir, name):
    """Images of 0 to 1, `[N, 14, 14]`, and labels."""
    found = []
    for part, header in (("images-idx3", 16), ("labels-idx1", 8)):
        with gzip.open(data_dir / f"{name}-{part}-ubyte.gz") as file:
            found.append(np.frombuffer(file.read(), np.uint8, offset=header))
    images, labels = found
    return images.reshape(-1, 14, 2, 14, 2).mean((2, 4)) / 255, labels


@dataclasses.dataclass(frozen=True)
class Task:
    """Digits to train on and to test with, and how networks are trained on them."""

    load: Callable
    load_test: Callable
    epochs: int
    batch: int
    inputs: Quantization = INPUTS
    levels: int = LEVELS
    rate: float = 4e-3  # of Adam; falls to 0
    shift_max: int = 4
    state_max: int = 7


TASKS = {
    "digits": Task(uci, uci_test, 150, 64),
    "MNIST": Task(mnist, mnist_test, 12, 128, rate=2e-3, shift_max=2),
    "vowels": Task(
        vowels.load, vowels.load_test, 400, 32, vowels.INPUTS, vowels.LEVELS, state_max=3
    ),
}


def varied(images, rng, copies=5):
    """Pixels of 0 to 1, and copies: turned, stretched, slanted, moved and paled a little."""
    from scipy import ndimage

    center = np.array([3.5, 3.5])
    all_images = [images]
    for _ in range(copies):
        copy = np.empty_like(images)
        for image, new in zip(images, copy, strict=True):
            angle, slant = rng.normal(0, [0.048, 0.06])
            cosine, sine = np.cos(angle), np.sin(angle)
            turn = np.array([[cosine, slant - sine], [sine, cosine]])
            matrix = turn @ np.diag(rng.normal(1, 0.032, 2))
            offset = center - matrix @ center + rng.normal(0, 0.16, 2)
            ndimage.affine_transform(image, matrix, offset, output=new, order=1)
        all_images.append(np.clip(copy * rng.normal(1, 0.04, (len(copy), 1, 1)), 0, 1))
    return np.concatenate(all_images).astype("float32")
