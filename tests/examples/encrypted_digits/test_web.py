"""The client's process: what its page asks, and how it gets along with its server."""

import asyncio
import dataclasses
import json
import os
import pathlib
import signal
import socket
import time

import httpx
import numpy as np
import pytest
from encrypted_digits import web
from encrypted_digits.client import DigitClient, ServerError
from encrypted_digits.server import application
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tests.examples.encrypted_digits import circuits
from tests.examples.encrypted_digits.support import PATIENT

pytestmark = pytest.mark.fhe
WAIT_SECONDS = 600


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Page:
    """What the page's script does, by hand."""

    def __init__(self, url):
        self.http = httpx.Client(base_url=url, timeout=120)

    def status(self, state):
        deadline = time.monotonic() + WAIT_SECONDS
        while (status := self.http.get("/status").json())["state"] != state:
            assert status["state"] != "failed" and time.monotonic() < deadline, status
            time.sleep(0.05)
        return status

    def post(self, pixels):
        return self.http.post("/digits", json={"pixels": pixels})

    def classify(self, pixels):
        answer = self.post(pixels)
        assert answer.status_code == 202, answer.text
        while True:
            told = self.http.get(f"/digits/{answer.json()['digit']}").json()
            if told["state"] in ("done", "failed"):
                return told
            assert told["state"] in ("encrypting", "waiting", "running")
            time.sleep(0.02)


@pytest.fixture(scope="module")
def server(counting, serving):
    return serving(application(counting.directory / "server.zip", PATIENT))


@pytest.fixture(scope="module")
def open_page(counting, serving):
    """A function that starts a client of a server, and returns its page."""

    def start(server):
        return Page(
            serving(web.application(DigitClient(counting.directory / "client.zip", server)))
        )

    return start


@pytest.fixture(scope="module")
def page(server, open_page):
    page = open_page(server)
    page.status("ready")
    return page


def ink(seed=0):
    """A digit of paper and full ink: 0 and 1 in the integers of the circuits."""
    return (16 * np.random.default_rng(seed).integers(0, 2, (8, 8))).tolist()


def test_a_digit_is_classified(page, counting):
    told = page.classify(ink())
    assert told["state"] == "done" and told["error"] is None and told["progress"] == 1
    assert told["scores"] == circuits.scores(counting.model, np.array(ink()).T // 16)
    assert told["seconds"] >= told["evaluation_seconds"] > 0
    assert told["sent_bytes"] > 1000 and told["received_bytes"] > 10_000


def test_status_says_where_the_keys_are(page, server, counting):
    status = page.status("ready")
    assert status["server"] == server and status["error"] is None
    assert status["evaluation_key_bytes"] == len(counting.keys)


def test_the_page_is_there_while_keys_are_made(server, counting, serving):
    client = DigitClient(counting.directory / "client.zip", server)
    holder = client._holder._process.pid
    os.kill(holder, signal.SIGSTOP)  # it makes no keys until it is told to go on
    page = Page(url := serving(web.application(client)))
    assert page.http.get("/").status_code == 200
    assert page.status("making keys")["error"] is None
    digit = page.post(ink()).json()["digit"]
    assert page.http.get(f"/digits/{digit}").json()["state"] == "encrypting"
    os.kill(holder, signal.SIGCONT)
    page.status("ready")
    while (told := page.http.get(f"/digits/{digit}").json())["state"] != "done":
        assert told["state"] != "failed", told["error"]
        time.sleep(0.02)
    serving.stop(url)
    assert not pathlib.Path(f"/proc/{holder}").exists()


def test_a_lost_secret_key_is_told(server, counting, serving):
    client = DigitClient(counting.directory / "client.zip", server)
    client._holder._process.kill()
    page = Page(serving(web.application(client)))
    assert "has ended; see its messages. Start the client" in page.status("failed")["error"]
    told = page.classify(ink())
    assert told["state"] == "failed" and "Start the client again" in told["error"]


def test_keys_that_cannot_be_made_are_told(server, counting, serving, monkeypatch):
    async def make_keys():
        raise RuntimeError("no memory")

    client = DigitClient(counting.directory / "client.zip", server)
    monkeypatch.setattr(client, "make_keys", make_keys)
    page = Page(serving(web.application(client)))
    assert "has failed; see its messages. Start the client" in page.status("failed")["error"]


def test_a_server_that_refuses_the_client_is_told(counting, serving, open_page):
    async def refuse(request):
        return Response(status_code=401)

    page = open_page(serving(Starlette(routes=[Route("/{path:path}", refuse)])))
    told = page.classify(ink())
    assert told["state"] == "failed" and "refuses this client (401). Start" in told["error"]
    assert "refuses this client" in page.status("connecting")["error"]


@pytest.mark.parametrize(
    "error, words",
    [
        (httpx.ReadTimeout, "is busy: it has not answered in 300 seconds. Try again later"),
        (httpx.ConnectTimeout, r"does not answer \(ConnectTimeout\). Start it"),
    ],
)
def test_a_server_out_of_time_is_told(error, words, counting, monkeypatch):
    def stream(*_, **__):
        raise error("")

    async def ask():
        client = DigitClient(counting.directory / "client.zip", "http://127.0.0.1:9")
        monkeypatch.setattr(client._http, "stream", stream)
        try:
            await client.connect()
        finally:
            await client.close()

    with pytest.raises(ServerError, match=words):
        asyncio.run(ask())


def test_the_key_holder_is_closed_whatever_else_fails(counting, monkeypatch):
    async def close():
        client = DigitClient(counting.directory / "client.zip", "http://127.0.0.1:9")
        monkeypatch.setattr(client._http, "aclose", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await client.close()
        return client._holder._process.is_alive()

    assert not asyncio.run(close())


def test_the_page_takes_nothing_from_elsewhere(page):
    for path in ("/", "/page.js", "/page.css"):
        answer = page.http.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"].startswith("default-src 'self'")
        assert "http:" not in answer.text and "https:" not in answer.text
    assert page.http.get("/digits.safetensors").status_code == 404


@pytest.mark.parametrize(
    "pixels",
    [None, 1, [], [[0] * 8] * 7, [[0] * 7] * 8, [[0] * 8] * 7 + [[0] * 7 + [17]],
     [[0] * 8] * 7 + [[0] * 7 + [-1]], [[0] * 8] * 7 + [[0] * 7 + [0.5]], [[True] * 8] * 8],
)  # fmt: skip
def test_what_is_no_digit_is_refused(page, pixels):
    answer = page.post(pixels)
    assert answer.status_code == 400 and "8 rows of 8 integers" in answer.json()["error"]


def test_what_is_no_request_is_refused(page):
    form = {"content-type": "application/x-www-form-urlencoded"}  # what other sites' pages can send
    assert page.http.post("/digits", content=b"pixels=1", headers=form).status_code == 415
    text = {"content-type": "application/json"}
    assert page.http.post("/digits", content=b"{", headers=text).status_code == 400
    assert page.http.post("/digits", content=b"[" * 5000, headers=text).status_code == 413
    assert page.http.post("/digits", content=b"[" * 4000, headers=text).status_code == 400
    assert page.http.get("/digits/none").status_code == 404
    assert page.http.get("/", headers={"Host": "example.org"}).status_code == 400


def test_the_server_is_waited_for_and_may_be_started_anew(counting, serving, open_page):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    page = open_page(url)
    while (status := page.http.get("/status").json())["error"] is None:
        time.sleep(0.05)
    assert status["state"] == "connecting" and "does not answer" in status["error"]
    for _ in range(2):
        # The second server knows nothing of the client, which uploads its keys again.
        assert serving(application(counting.directory / "server.zip", PATIENT), port) == url
        page.status("ready")
        assert page.classify(ink())["state"] == "done"
        serving.stop(url)
    told = page.classify(ink())
    assert told["state"] == "failed" and "does not answer" in told["error"]


def test_a_server_of_another_circuit_gets_no_keys(choosing, serving, open_page):
    page = open_page(serving(application(choosing.directory / "server.zip", PATIENT)))
    told = page.classify(ink())
    assert told["state"] == "failed" and "another circuit than this client.zip" in told["error"]


def test_a_failed_evaluation_is_told_and_the_next_goes_on(counting, serving, open_page):
    limits = dataclasses.replace(PATIENT, evaluation_seconds=0.0001)
    page = open_page(serving(application(counting.directory / "server.zip", limits)))
    for _ in range(2):
        told = page.classify(ink())
        assert told["state"] == "failed" and "took more than 0.0001 seconds" in told["error"]


def pretending(answers, otherwise=b""):
    """A server that gives these answers, by path, and the other one to everything else."""

    async def answer(request):
        return Response(answers.get(request.url.path, otherwise))

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "DELETE"])])


@pytest.mark.parametrize(
    "answer", [b"nothing", b"{}", b'{"circuit": 3}', b"[" * 9000, bytes(10_000_000)]
)
def test_a_server_that_talks_nonsense_does_no_harm(answer, serving, open_page):
    told = open_page(serving(pretending({}, answer))).classify(ink())
    assert told["state"] == "failed"
    assert "does not understand" in told["error"] or "is longer than" in told["error"]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"/clients": '{"client": "a\\nb"}'}, "does not understand"),
        ({"/clients": '{"client": "\u00e9"}'}, "does not understand"),
        ({"/jobs": '{"job": "a", "state": "done", "progress": 1}'}, "does not understand"),
        (
            {"/jobs": '{"job": "a", "state": "done", "progress": 1, "seconds": null}'},
            "does not understand",
        ),
        (
            {"/jobs": '{"job": "a", "state": "running", "progress": NaN, "seconds": 1}'},
            "does not understand",
        ),
        (
            {"/jobs": '{"job": "a\\nb", "state": "running", "progress": 0, "seconds": 1}'},
            "does not understand",
        ),
        ({"/jobs/a/output": "nothing"}, "cannot be decrypted"),
    ],
)
def test_a_server_that_begins_well_does_no_harm(change, words, counting, serving, open_page):
    answers = {
        "/model": json.dumps({"circuit": counting.client.spec.circuit_id}),
        "/clients": '{"client": "token"}',
        "/jobs": '{"job": "a", "state": "done", "progress": 1, "seconds": 1}',
    }
    told = open_page(serving(pretending(answers | change))).classify(ink())
    assert told["state"] == "failed" and words in told["error"]
