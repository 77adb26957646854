"""The archives: a server's is a program, so it is loaded only if it has the expected digest."""

import hashlib
import json
import os
import threading
import zipfile

import pytest

from addrnn import fhe
from tests.addrnn.fhe import models

pytestmark = pytest.mark.fhe


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A directory with both archives, and the digest that `save` has returned."""
    directory = tmp_path_factory.mktemp("saved")
    model = models.model(models.recurrent(2, 1, fan_in=1))
    return directory, fhe.compile(model, 2, formulation="shared_relu").save(directory)


def test_save_returns_the_digest_of_the_server_archive(saved):
    directory, sha256 = saved
    content = (directory / "server.zip").read_bytes()
    assert sha256 == hashlib.sha256(content).hexdigest()
    assert fhe.Server.load(directory / "server.zip", sha256=sha256).spec.timesteps == 2
    assert fhe.Server.load(directory / "server.zip", sha256=sha256.upper()).spec.timesteps == 2


@pytest.fixture
def hostile(saved, tmp_path):
    """An archive that runs a command where it is loaded, and the file that the command makes."""
    marker, path = tmp_path / "marker", tmp_path / "server.zip"
    path.write_bytes((saved[0] / "server.zip").read_bytes())
    command = {"py/tuple": [f"touch {marker}"]}
    configuration = {"show_graph": {"py/reduce": [{"py/function": "posix.system"}, command]}}
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("circuit.mlir", "")
        archive.writestr("configuration.json", json.dumps(configuration))
    return path, marker


def test_an_archive_of_another_digest_is_not_run(saved, hostile):
    path, marker = hostile
    with pytest.raises(
        ValueError, match=r"`sha256` must be.*server.zip.*Received: [0-9a-f]{64}. Do not load"
    ):
        fhe.Server.load(path, sha256=saved[1])
    assert not marker.exists()


def test_an_archive_without_a_digest_is_run(hostile):
    """Why a digest is needed."""
    path, marker = hostile
    with pytest.raises(Exception):  # noqa: B017 - the command has run before the library fails
        fhe.Server.load(path)
    assert marker.exists()


def test_the_bytes_that_were_checked_are_the_bytes_that_are_loaded(saved, tmp_path):
    """From a pipe, which gives its bytes once."""
    directory, sha256 = saved
    pipe = tmp_path / "server.zip"
    os.mkfifo(pipe)

    def write():
        with open(pipe, "wb") as file:
            pipe.unlink()  # so that a second reader fails, and does not wait
            file.write((directory / "server.zip").read_bytes())

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    assert fhe.Server.load(pipe, sha256=sha256).spec.timesteps == 2
    writer.join()


@pytest.mark.parametrize("sha256", ["", "abc", "g" * 64, 3, b"a" * 64])
def test_what_is_no_digest_is_refused(saved, sha256):
    with pytest.raises((TypeError, ValueError), match="`sha256` must be"):
        fhe.Server.load(saved[0] / "server.zip", sha256=sha256)
