"""The digits of the MNIST example: read rightly, or refused in one line that says why."""

import gzip
import http.server
import socket
import sys
import threading

import mnist_data
import numpy as np
import pytest

from tests.examples import idx


def images(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8)


def labels(count, seed=0):
    return np.random.default_rng(seed).integers(0, 10, count, np.uint8)


def refused(message, function, *arguments):
    with pytest.raises(mnist_data.DataError, match=message) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4), (0, 28, 28)])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_read_idx(tmp_path, shape, suffix):
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    file = tmp_path / f"values{suffix}"
    content = idx.encode(array)
    file.write_bytes(gzip.compress(content) if suffix else content)
    np.testing.assert_array_equal(mnist_data.read_idx(file), array)


GOOD = idx.encode(np.arange(12, dtype=np.uint8).reshape(3, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no IDX file"),
        (b"\0\0", "no IDX file"),
        (b"%PDF-1.4", "no IDX file of unsigned bytes: it starts with b'%PDF'"),
        (b"\0\0\x0d\x01" + GOOD[4:], "no IDX file of unsigned bytes"),
        (GOOD[:7], "truncated: it ends within its header"),
        (GOOD[:-1], "truncated: it holds 11 values, its header says 12"),
        (GOOD + b"\0", "too long: it holds 13 values, its header says 12"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "truncated: it holds 0 values"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_damaged_idx(tmp_path, content, message, suffix):
    file = tmp_path / f"damaged{suffix}"
    file.write_bytes(gzip.compress(content) if suffix else content)
    refused(f"damaged.*{message}", mnist_data.read_idx, file)


def test_damaged_gzip(tmp_path):
    file = tmp_path / "damaged.gz"
    zipped = gzip.compress(idx.encode(images(4)))
    for content in (GOOD, zipped[:-20], zipped[:100] + b"\xff" * 50 + zipped[150:]):
        file.write_bytes(content)
        refused("damaged.gz cannot be read", mnist_data.read_idx, file)


def test_missing_idx(tmp_path):
    refused("missing cannot be read: FileNotFoundError", mnist_data.read_idx, tmp_path / "missing")


@pytest.mark.parametrize("zipped", [False, True])
def test_directory(tmp_path, zipped):
    arrays = images(6), labels(6), images(4, seed=1), labels(4, seed=1)
    idx.write_mnist(tmp_path, *arrays, zipped=zipped)
    digits = mnist_data.load(tmp_path)
    for array, read in zip(
        arrays, (digits.x_train, digits.y_train, digits.x_test, digits.y_test), strict=True
    ):
        np.testing.assert_array_equal(read, array)
        assert read.dtype == np.uint8
    assert str(tmp_path) in digits.source


def test_wrong_directory(tmp_path):
    refused("nowhere is not a directory", mnist_data.load, tmp_path / "nowhere")
    refused("has neither train-images-idx3-ubyte.gz nor", mnist_data.load, tmp_path)


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
    refused(f"train-.*{message}", mnist_data.load, tmp_path)


def test_choice_is_fixed_and_without_repetition():
    chosen = mnist_data.choose(60_000, 10_000)
    assert len(chosen) == 10_000
    assert (np.diff(chosen) > 0).all()
    assert chosen[0] >= 0 and chosen[-1] < 60_000
    np.testing.assert_array_equal(chosen, mnist_data.choose(60_000, 10_000))
    np.testing.assert_array_equal(mnist_data.choose(3, 10), [0, 1, 2])


def test_part_of_a_larger_source(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist_data, "SUBSET_TRAIN", 5)
    monkeypatch.setattr(mnist_data, "SUBSET_TEST", 3)
    idx.write_mnist(tmp_path, images(9), labels(9), images(7), labels(7))
    part, whole = mnist_data.load(tmp_path), mnist_data.load(tmp_path, full=True)
    assert (len(part.x_train), len(part.y_train)) == (5, 5)
    assert (len(part.x_test), len(part.y_test)) == (3, 3)
    assert (len(whole.x_train), len(whole.x_test)) == (9, 7)
    assert "--full takes all" in part.source
    assert "--full" not in whole.source
    # Images keep their labels.
    for image, label in zip(part.x_train, part.y_train, strict=True):
        (at,) = np.flatnonzero((whole.x_train == image).all((1, 2)))
        assert whole.y_train[at] == label


@pytest.fixture
def no_tensorflow_datasets(monkeypatch):
    def not_available():
        raise mnist_data.NotAvailable("as the test wants it")

    monkeypatch.setattr(mnist_data, "from_tensorflow_datasets", not_available)


def test_digits_of_the_repository(no_tensorflow_datasets):
    digits = mnist_data.load()
    assert "kept in this repository (as the test wants it)" in digits.source
    for pixels, classes, count in (
        (digits.x_train, digits.y_train, 10_000),
        (digits.x_test, digits.y_test, 2_000),
    ):
        assert pixels.shape == (count, 28, 28) and pixels.dtype == np.uint8
        assert classes.shape == (count,) and classes.dtype == np.uint8
        assert pixels.min() == 0 and pixels.max() == 255
        # MNIST has between 9 and 11.4 % of each class.
        assert (np.abs(np.bincount(classes, minlength=10) / count - 0.1) < 0.025).all()
        # Handwriting, not noise: paper around, ink in the middle.
        assert pixels[:, [0, -1]].mean() < 1 < 50 < pixels[:, 10:18, 10:18].mean()


def test_full_needs_more_than_the_repository_has(no_tensorflow_datasets):
    refused(
        "--full needs all of MNIST.*as the test wants it.*--data-dir", mnist_data.load, None, True
    )


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"PK\x03\x04 cut off"])
def test_damaged_subset(no_tensorflow_datasets, monkeypatch, tmp_path, content):
    file = tmp_path / "subset.npz"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(mnist_data, "SUBSET_FILE", file)
    refused("subset.npz cannot be read", mnist_data.load)


def test_a_directory_comes_before_tensorflow_datasets(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist_data, "from_tensorflow_datasets", lambda: pytest.fail("was asked"))
    idx.write_mnist(tmp_path, images(2), labels(2), images(2), labels(2))
    mnist_data.load(tmp_path)


def test_tensorflow_datasets_come_before_the_repository(monkeypatch):
    theirs = mnist_data.Digits(images(2), labels(2), images(2), labels(2), source="theirs")
    monkeypatch.setattr(mnist_data, "from_tensorflow_datasets", lambda: theirs)
    digits = mnist_data.load()
    assert digits.source == "theirs"
    np.testing.assert_array_equal(digits.x_train, theirs.x_train)


def test_tensorflow_datasets_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(mnist_data.NotAvailable, match="failed: ModuleNotFoundError.*datasets"):
        mnist_data.from_tensorflow_datasets()


def test_no_network(monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr(
            mnist_data, "DOWNLOAD_HOST", f"http://127.0.0.1:{unused.getsockname()[1]}"
        )
        with pytest.raises(mnist_data.NotAvailable, match="no answer from http://127.0.0.1"):
            mnist_data._download()


def test_network_that_swallows_everything(monkeypatch):
    monkeypatch.setattr(mnist_data, "PROBE_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setattr(
            mnist_data, "DOWNLOAD_HOST", f"http://127.0.0.1:{silent.getsockname()[1]}"
        )
        assert not mnist_data._reachable()


def test_host_that_answers_with_an_error(monkeypatch):
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    server.RequestHandlerClass.log_message = lambda *arguments: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        monkeypatch.setattr(mnist_data, "DOWNLOAD_HOST", f"http://127.0.0.1:{server.server_port}")
        assert mnist_data._reachable()
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo first >&2; echo last >&2; exit 1", "the download failed: last"),
        ("exit 1", "the download failed: no message"),
        ("exec sleep 60", "took more than 0.2 s"),
    ],
)
def test_download_that_fails(monkeypatch, tmp_path, script, message):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setattr(mnist_data, "_reachable", lambda: True)
    monkeypatch.setattr(mnist_data, "DOWNLOAD_SECONDS", 0.2 if "sleep" in script else 60)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(mnist_data.NotAvailable, match=message):
        mnist_data._download()
