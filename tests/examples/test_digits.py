"""MNIST's digits: read rightly, or refused in one line that says why."""

import gzip
import runpy
import types

import numpy as np
import pytest
from common import digits

from tests.examples import idx, support


def images(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8)


def labels(count, seed=0):
    return np.random.default_rng(seed).integers(0, 10, count, np.uint8)


def refused(message, function, *arguments):
    with pytest.raises(digits.DataError, match=message) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4), (0, 28, 28)])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_read_idx(tmp_path, shape, suffix):
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    file = tmp_path / f"values{suffix}"
    content = idx.encode(array)
    file.write_bytes(gzip.compress(content) if suffix else content)
    np.testing.assert_array_equal(digits.read_idx(file), array)


GOOD = idx.encode(np.arange(12, dtype=np.uint8).reshape(3, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no IDX file"),
        (b"\0\0", "no IDX file"),
        (b"%PDF-1.4", "no IDX file of unsigned bytes: it starts with b'%PDF'"),
        (b"\0\0\x0d\x01" + GOOD[4:], "no IDX file of unsigned bytes"),
        (GOOD[:7], "truncated: it ends within its header. Get the file anew"),
        (GOOD[:-1], "truncated: it holds 11 values, its header says 12"),
        (GOOD + b"\0", "too long: it holds 13 values, its header says 12"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "truncated: it holds 0 values"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_damaged_idx(tmp_path, content, message, suffix):
    file = tmp_path / f"damaged{suffix}"
    file.write_bytes(gzip.compress(content) if suffix else content)
    refused(f"damaged.*{message}", digits.read_idx, file)


def test_damaged_gzip(tmp_path):
    file = tmp_path / "damaged.gz"
    zipped = gzip.compress(idx.encode(images(4)))
    for content in (GOOD, zipped[:-20], zipped[:100] + b"\xff" * 50 + zipped[150:]):
        file.write_bytes(content)
        refused("damaged.gz cannot be read.*Get the file anew", digits.read_idx, file)


def test_missing_idx(tmp_path):
    refused("missing cannot be read: FileNotFoundError", digits.read_idx, tmp_path / "missing")


@pytest.mark.parametrize("zipped", [False, True])
def test_directory(tmp_path, zipped):
    arrays = images(6), labels(6), images(4, seed=1), labels(4, seed=1)
    idx.write_mnist(tmp_path, *arrays, zipped=zipped)
    loaded = digits.load(tmp_path)
    for array, read in zip(
        arrays, (loaded.x_train, loaded.y_train, loaded.x_test, loaded.y_test), strict=True
    ):
        np.testing.assert_array_equal(read, array)
        assert read.dtype == np.uint8
    assert str(tmp_path) in loaded.source


def test_wrong_directory(tmp_path):
    refused("nowhere is not a directory: name one", digits.load, tmp_path / "nowhere")
    refused("has neither train-images-idx3-ubyte.gz nor.*put all four", digits.load, tmp_path)


@pytest.mark.parametrize(
    ("x_train", "y_train", "message"),
    [
        (np.zeros((6, 27, 28), np.uint8), labels(6), r"shape \(6, 27, 28\), expected \(N, 28, 28"),
        (np.zeros((6, 784), np.uint8), labels(6), r"shape \(6, 784\), expected \(N, 28, 28\)"),
        (images(6), labels(5), r"shape \(5,\), expected \(6,\), one label for each image"),
        (images(6), np.zeros((6, 1), np.uint8), r"shape \(6, 1\), expected \(6,\)"),
        (images(0), labels(0), "holds no labels"),
        (images(2), np.array([3, 10], np.uint8), "holds the label 10, expected 0 to 9"),
    ],
)
def test_files_that_do_not_fit(tmp_path, x_train, y_train, message):
    idx.write_mnist(tmp_path, x_train, y_train, images(4), labels(4))
    refused(f"train-.*{message}", digits.load, tmp_path)


@pytest.fixture
def maker():
    """The script that makes the repository's subset."""
    return types.SimpleNamespace(
        **runpy.run_path(str(support.EXAMPLES / "data" / "make_mnist_subset.py"))
    )


def test_choice_is_fixed_and_without_repetition(maker):
    chosen = maker.choose(60_000, 10_000)
    assert len(chosen) == 10_000
    assert (np.diff(chosen) > 0).all()
    assert chosen[0] >= 0 and chosen[-1] < 60_000
    np.testing.assert_array_equal(chosen, maker.choose(60_000, 10_000))
    np.testing.assert_array_equal(maker.choose(3, 10), [0, 1, 2])


def test_part_of_a_larger_source(maker, tmp_path):
    idx.write_mnist(tmp_path, images(9), labels(9), images(7), labels(7))
    whole = digits.load(tmp_path)
    assert (len(whole.x_train), len(whole.x_test)) == (9, 7)
    maker.subset.__globals__.update(TRAIN=5, TEST=3)
    part = maker.subset(whole)
    assert (len(part["x_train"]), len(part["y_train"])) == (5, 5)
    assert (len(part["x_test"]), len(part["y_test"])) == (3, 3)
    # Images keep their labels.
    for image, label in zip(part["x_train"], part["y_train"], strict=True):
        (at,) = np.flatnonzero((whole.x_train == image).all((1, 2)))
        assert whole.y_train[at] == label


def test_digits_of_the_repository():
    subset = digits.load()
    assert "kept in this repository" in subset.source
    for pixels, classes, count in (
        (subset.x_train, subset.y_train, 10_000),
        (subset.x_test, subset.y_test, 2_000),
    ):
        assert pixels.shape == (count, 28, 28) and pixels.dtype == np.uint8
        assert classes.shape == (count,) and classes.dtype == np.uint8
        assert pixels.min() == 0 and pixels.max() == 255
        # MNIST has between 9 and 11.4 % of each class.
        assert (np.abs(np.bincount(classes, minlength=10) / count - 0.1) < 0.025).all()
        # Handwriting, not noise: paper around, ink in the middle.
        assert pixels[:, [0, -1]].mean() < 1 < 50 < pixels[:, 10:18, 10:18].mean()


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"PK\x03\x04 cut off"])
def test_damaged_subset(monkeypatch, tmp_path, content):
    file = tmp_path / "subset.npz"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(digits, "SUBSET_FILE", file)
    refused("subset.npz cannot be read.*Take it from", digits.load)
