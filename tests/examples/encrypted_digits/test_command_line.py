"""What a person types: wrong flags, a port in use, and the demonstration itself."""

import pathlib
import socket
import subprocess
import sys

import pytest

pytestmark = pytest.mark.fhe

EXAMPLE = pathlib.Path(__file__).parents[3] / "examples" / "encrypted_digits"


def run(*arguments):
    command = [sys.executable, "-W", "ignore", EXAMPLE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=3000)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--digits", "0"], "expected an integer from 1 to 100, got '0'"),
        (["listen"], "no command 'listen'"),
        (["client", "client.zip"], "--server"),
        (["client", "client.zip", "--server", "localhost:8600"], "such as http://127.0.0.1:8600"),
        (["client", "client.zip", "--server", "http://a:b"], "such as http://127.0.0.1:8600"),
        (["server", "nowhere.zip"], "nowhere.zip"),
    ],
)
def test_wrong_flags_are_told(arguments, words):
    ran = run(*arguments)
    assert ran.returncode == 2 and words in ran.stderr and "Traceback" not in ran.stderr


def test_an_archive_of_another_digest_is_not_served(counting):
    ran = run("server", counting.directory / "server.zip", "--sha256", "0" * 64)
    assert ran.returncode == 2 and "`sha256` must be" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_port_in_use_is_told(counting):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run("server", counting.directory / "server.zip", f"--port={port}")
    assert ran.returncode == 2 and "in use" in ran.stderr and "Traceback" not in ran.stderr


@pytest.mark.slow
def test_the_demonstration(tmp_path):
    ran = run("--digits", 1, "--output", tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 of 1 have the integer model's scores, bit for bit." in ran.stdout
    assert ran.stdout.endswith("Server and client have ended.\n")
    archives = sorted(path.name for path in tmp_path.iterdir())
    assert archives == ["circuit.json", "client.log", "client.zip", "server.log", "server.zip"]


@pytest.mark.slow
def test_the_circuit_of_an_earlier_run_is_taken_if_it_is_whole(tmp_path):
    from encrypted_digits import demo

    statistics, sha256, known = demo.compiled(tmp_path)
    assert not known and demo.compiled(tmp_path) == (statistics, sha256, True)
    with (tmp_path / "server.zip").open("ab") as archive:
        archive.write(b"more")
    assert demo.compiled(tmp_path)[2] is False
    (tmp_path / "circuit.json").write_text("{}")
    assert demo.compiled(tmp_path)[2] is False
