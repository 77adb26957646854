"""Processes that serve: they say where, and end when they are told to."""

import hashlib

import httpx
import pytest
from encrypted_digits import demo

pytestmark = pytest.mark.fhe


def test_a_server_starts_and_ends(counting, tmp_path):
    archive = counting.directory / "server.zip"
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    arguments = ["server", str(archive), f"--sha256={sha256}", "--port=0"]
    with demo.serving("server", arguments, tmp_path / "log") as url:
        about = httpx.get(f"{url}/model", timeout=60).json()
        assert about["circuit"] == counting.client.spec.circuit_id
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    assert "Application shutdown complete" in (tmp_path / "log").read_text()


def test_why_it_does_not_start_is_told(tmp_path):
    with pytest.raises(RuntimeError, match="The server has not started:\n.*nowhere.zip"):
        with demo.serving("server", ["server", "nowhere.zip"], tmp_path / "log"):
            pass
