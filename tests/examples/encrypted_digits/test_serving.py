"""Processes that serve: they say where, and end when they are told to."""

import httpx
import pytest
from encrypted_digits.serving import Process

pytestmark = pytest.mark.fhe


def test_a_server_starts_and_ends(counting, tmp_path):
    arguments = ["server", str(counting.directory / "server.zip"), "--port=0"]
    with Process("server", arguments, tmp_path / "log") as server:
        about = httpx.get(f"{server.url}/model", timeout=60).json()
        assert about["circuit"] == counting.client.interface.circuit_id
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)
    assert "Application shutdown complete" in (tmp_path / "log").read_text()


def test_why_it_does_not_start_is_told(tmp_path):
    with pytest.raises(RuntimeError, match="The server has not started:\n.*nowhere.zip"):
        Process("server", ["server", "nowhere.zip"], tmp_path / "log")
