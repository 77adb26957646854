"""Tests of the encrypted example: they run in .venv-fhe (`make test-fhe`), as those of tests/fhe.

Two small circuits serve them all, and one client's keys of each.
"""

import dataclasses
import importlib.util
import pathlib
import threading
import time

import numpy as np
import pytest

from addrnn import fhe
from tests.examples.encrypted_digits import circuits

# In the other environment there is nothing here to collect.
collect_ignore_glob = [] if importlib.util.find_spec("concrete") else ["test_*.py"]


@pytest.fixture(autouse=True)
def seeded():
    """In place of the one that seeds Keras."""
    np.random.seed(0)


@dataclasses.dataclass(frozen=True)
class Circuit:
    """A compiled network, and a client of it with its evaluation keys."""

    model: object
    directory: pathlib.Path
    client: object
    keys: bytes


def _circuit(model, directory):
    circuits.compiled(directory, model)
    client = fhe.Client.load(directory / "client.zip")
    return Circuit(model, directory, client, client.evaluation_keys())


@pytest.fixture(scope="session")
def choosing(tmp_path_factory):
    """The circuit that has look-ups, and so keys that a server needs."""
    return _circuit(circuits.CHOOSING, tmp_path_factory.mktemp("choosing"))


@pytest.fixture(scope="session")
def counting(tmp_path_factory):
    """The circuit without look-ups."""
    return _circuit(circuits.COUNTING, tmp_path_factory.mktemp("counting"))


@pytest.fixture(scope="module")
def serving():
    """A function that serves an application on a port of its own, and returns the URL.

    `stop` of it ends the application at that URL; at the end all of them are ended.
    """
    import uvicorn  # only there in .venv-fhe
    from encrypted_digits.serving import configuration

    running = {}

    def serve(application, port=0, connection_seconds=600):
        config = configuration(application, connection_seconds)
        config.port, config.timeout_graceful_shutdown = port, 1
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the application did not start"
            time.sleep(0.01)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        running[url] = server, thread
        return url

    def stop(url):
        if url not in running:
            return
        server, thread = running.pop(url)
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()

    serve.stop = stop
    yield serve
    for url in tuple(running):
        stop(url)
