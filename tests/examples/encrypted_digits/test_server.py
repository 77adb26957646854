"""The server over HTTP: answers, limits, and what it refuses without coming to harm."""

import contextlib
import dataclasses
import hashlib
import pathlib
import socket
import time
import zipfile

import httpx
import numpy as np
import pytest
from encrypted_digits.server import BINARY, application

from addrnn.fhe import _messages
from tests.examples.encrypted_digits import circuits
from tests.examples.encrypted_digits.support import PATIENT

pytestmark = pytest.mark.fhe


class Caller:
    """What a client sends, by hand."""

    def __init__(self, url):
        self.http = httpx.Client(base_url=url, timeout=120)

    def upload(self, keys, **headers):
        answer = self.http.post(
            "/clients", content=keys, headers={"Content-Type": BINARY} | headers
        )
        if answer.status_code == 201:
            self.http.headers["Authorization"] = f"Bearer {answer.json()['client']}"
        return answer

    def submit(self, message):
        return self.http.post("/jobs", content=message, headers={"Content-Type": BINARY})

    def job(self, message):
        """The last that is said of a job, and all progress that is told before."""
        answer = self.submit(message)
        assert answer.status_code == 202, answer.text
        told, progress = answer.json(), []
        while told["state"] in ("waiting", "running"):
            progress.append(told["progress"])
            time.sleep(0.02)
            told = self.http.get(f"/jobs/{told['job']}").json()
        return told, progress

    def output(self, told):
        return self.http.get(f"/jobs/{told['job']}/output")


def refused(answer, status, words):
    assert answer.status_code == status and words in answer.json()["error"], answer.text


@pytest.fixture(scope="module")
def server(choosing, serving):
    return serving(application(choosing.directory / "server.zip", PATIENT))


@pytest.fixture(scope="module")
def caller(server, choosing):
    """One whose keys the server has."""
    caller = Caller(server)
    assert caller.upload(choosing.keys).status_code == 201
    return caller


def image(seed=0):
    return np.random.default_rng(seed).integers(0, 2, (8, 8))


def test_what_is_decrypted_is_what_the_integer_model_gives(caller, choosing):
    seen = set()
    for seed in range(3):
        told, progress = caller.job(choosing.client.encrypt(image(seed)))
        assert told["state"] == "done" and told["seconds"] > 0 and told["error"] is None
        assert progress == sorted(progress)
        seen.update(progress)
        scores = choosing.client.decrypt(caller.output(told).content).tolist()
        assert scores == circuits.scores(choosing.model, image(seed))
        assert scores == choosing.model.run(image(seed)[None])[0].tolist()
    assert any(0 < progress < 1 for progress in seen), "no progress was told"


def test_the_model_is_described(server, choosing):
    about = httpx.get(f"{server}/model").json()
    assert about["circuit"] == choosing.client.spec.circuit_id
    assert about["timesteps"] == about["features"] == 8 and about["output_shape"] == [10]
    assert 0 <= len(choosing.keys) - about["evaluation_key_bytes"] < 10_000


def test_a_client_without_keys_is_unknown(server, choosing):
    caller = Caller(server)
    refused(caller.submit(choosing.client.encrypt(image())), 401, "Upload the evaluation keys")
    caller.http.headers["Authorization"] = "Bearer wrong"
    refused(caller.http.get("/jobs/any"), 401, "does not know this client")


def changed(message, at, content):
    return message[:at] + content + message[at + len(content) :]


HEAD, LENGTH = 80, 8  # of a message, and of what is before its first part
NOT_KEYS = "Expected evaluation keys of addrnn.fhe"
DAMAGED = "cut off, too long or damaged"


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda keys: b"", NOT_KEYS),
        (lambda keys: b"\x80\x04\x95" + bytes(300), NOT_KEYS),  # as a pickle begins
        (lambda keys: np.random.bytes(1000), NOT_KEYS),
        (lambda keys: keys[:-1], DAMAGED),
        (lambda keys: keys[: len(keys) // 2], DAMAGED),
        (lambda keys: keys[:HEAD], DAMAGED),
        (lambda keys: keys + b"more", DAMAGED),
        (lambda keys: changed(keys, HEAD, b"\xff" * LENGTH), DAMAGED),
        (lambda keys: changed(keys, 30, b"circuit"), "was saved with this server.zip"),
        (lambda keys: changed(keys, 8, b"input".ljust(16, b"\0")), "Received: an encrypted input"),
        # What only the library can tell, in the other process.
        (lambda keys: changed(keys, HEAD + LENGTH, bytes(200)), "cannot be used"),
        (lambda keys: changed(keys, HEAD + LENGTH, np.random.bytes(200)), "cannot be used"),
    ],
)
def test_malformed_keys_are_refused(server, choosing, spoil, words):
    refused(Caller(server).upload(spoil(choosing.keys)), 400, words)


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda message: b"", "Expected an encrypted input of addrnn.fhe"),
        (lambda message: np.random.bytes(1000), "Expected an encrypted input of addrnn.fhe"),
        (lambda message: message[:-1], DAMAGED),
        (lambda message: message + b"more", DAMAGED),
        (lambda message: changed(message, 30, b"circuit"), "was saved with this server.zip"),
        (lambda message: changed(message, 56, bytes(16)), "under other keys"),
    ],
)
def test_malformed_ciphertexts_are_refused(caller, choosing, spoil, words):
    refused(caller.submit(spoil(choosing.client.encrypt(image()))), 400, words)


def test_what_only_the_library_can_tell_fails_the_job_and_no_other(caller, choosing):
    message = choosing.client.encrypt(image())
    told, _ = caller.job(changed(message, HEAD + LENGTH, np.random.bytes(64)))
    assert told["state"] == "failed" and told["error"]
    refused(caller.output(told), 409, "the job is failed")
    assert caller.job(message)[0]["state"] == "done"


def test_keys_and_ciphertexts_of_another_circuit_are_refused(caller, counting):
    refused(Caller(caller.http.base_url).upload(counting.keys), 400, "saved with this server.zip")
    message = counting.client.encrypt(image())
    refused(caller.submit(message), 400, "saved with this server.zip")


def test_keys_made_to_do_harm_end_no_other_process(caller, choosing, counting):
    # Those of the other circuit, said to be of this one, and as long: the library does not look,
    # and ends the process when it evaluates.
    _, (part,) = _messages.unpack(
        "keys", counting.keys, counting.client.spec.circuit_id, counting.client.spec.sizes.keys
    )
    forged = _messages.pack(
        "keys",
        choosing.client.spec.circuit_id,
        choosing.keys[56:72],
        [part.ljust(sum(choosing.client.spec.sizes.keys), b"\0")],
    )
    attacker = Caller(caller.http.base_url)
    assert attacker.upload(forged).status_code == 201
    message = choosing.client.encrypt(image())
    told, _ = attacker.job(message)
    assert told["state"] == "failed" and told["error"]
    assert caller.job(message)[0]["state"] == "done"


def test_an_evaluation_that_takes_too_long_is_stopped(counting, serving):
    limits = dataclasses.replace(PATIENT, evaluation_seconds=0.0001)
    caller = Caller(serving(application(counting.directory / "server.zip", limits)))
    caller.upload(counting.keys)
    message = counting.client.encrypt(image())
    told, _ = caller.job(message)
    assert told["state"] == "failed" and "more than 0.0001 seconds" in told["error"]
    refused(caller.submit(message), 401, "Upload them again")
    assert caller.upload(counting.keys).status_code == 201


def test_limits_of_clients_and_jobs(counting, serving):
    limits = dataclasses.replace(PATIENT, clients=1, jobs=2, finished=1)
    url = serving(application(counting.directory / "server.zip", limits))
    caller = Caller(url)
    caller.upload(counting.keys)
    refused(Caller(url).upload(counting.keys), 503, "as many clients as it can")
    message = counting.client.encrypt(image())
    waiting, full = [], None
    while full is None:  # until they come faster than they are done
        answer = caller.submit(message)
        if answer.status_code == 202:
            waiting.append(answer.json()["job"])
        else:
            full = answer
    refused(full, 429, "2 jobs of this client wait already")
    while caller.http.get(f"/jobs/{waiting[-1]}").json()["state"] != "done":
        time.sleep(0.02)
    caller.job(message)
    refused(caller.http.get(f"/jobs/{waiting[0]}"), 404, "or no longer. Submit it anew")
    # Whoever wants to be forgotten makes room, and keeps nothing there.
    assert caller.http.delete("/clients").status_code == 204
    refused(caller.http.get(f"/jobs/{waiting[-1]}"), 401, "does not know this client")
    assert Caller(url).upload(counting.keys).status_code == 201


def test_idle_clients_make_room(counting, serving):
    limits = dataclasses.replace(PATIENT, clients=1, idle_seconds=0.05)
    url = serving(application(counting.directory / "server.zip", limits))
    first = Caller(url)
    first.upload(counting.keys)
    time.sleep(0.1)
    assert Caller(url).upload(counting.keys).status_code == 201
    refused(first.http.get("/jobs/any"), 401, "does not know this client")


def test_too_much_is_not_read(server, choosing):
    caller = Caller(server)
    largest = choosing.client.spec.max_message_bytes("keys")
    assert begun(server, largest + 1).startswith(b"HTTP/1.1 413")
    chunks = (bytes(1_000_000) for _ in range(largest // 1_000_000 + 2))  # of no declared length
    refused(caller.upload(chunks), 413, f"At most {largest} bytes")
    refused(caller.upload(choosing.keys, **{"Content-Type": "text/plain"}), 415, BINARY)


def test_a_slow_upload_is_ended(counting, serving):
    limits = dataclasses.replace(PATIENT, upload_grace_seconds=0.1)
    url = serving(application(counting.directory / "server.zip", limits))
    assert begun(url, 1000).startswith(b"HTTP/1.1 408")


def test_an_upload_that_trickles_is_ended(counting, serving):
    """However many bytes have come: they come at less than the pace."""
    limits = dataclasses.replace(PATIENT, upload_grace_seconds=0.1, upload_bytes_per_second=10_000)
    url = serving(application(counting.directory / "server.zip", limits))
    with upload(url, 10_000) as connection:
        for _ in range(5_000):
            connection.sendall(b"x")
            connection.settimeout(0.01)
            try:
                assert connection.recv(1000).startswith(b"HTTP/1.1 408")
                return
            except TimeoutError:
                pass
    raise AssertionError("the upload was not ended")


def test_slow_uploads_hold_no_place(counting, serving):
    limits = dataclasses.replace(PATIENT, clients=1)
    url = serving(application(counting.directory / "server.zip", limits))
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(upload(url, 10_000))
        assert Caller(url).upload(counting.keys).status_code == 201
    refused(Caller(url).upload(counting.keys), 503, "as many clients as it can")


def test_unfinished_uploads_have_a_limit_of_memory(counting, serving):
    limits = dataclasses.replace(PATIENT, clients=1)
    url = serving(application(counting.directory / "server.zip", limits))
    largest = counting.client.spec.max_message_bytes("keys")
    with upload(url, largest) as connection:
        connection.sendall(bytes(largest - 100))
        answer = Caller(url).upload(bytes(largest))
        while answer.status_code == 400:  # the server has not read the other one yet
            answer = Caller(url).upload(bytes(largest))
        refused(answer, 503, "Too much is being uploaded")
    answer = Caller(url).upload(counting.keys)
    while answer.status_code == 503:  # the server has not seen the other one go yet
        answer = Caller(url).upload(counting.keys)
    assert answer.status_code == 201


def head(length):
    lines = "POST /clients HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {BINARY}"
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


def connected(url):
    url = httpx.URL(url)
    connection = socket.create_connection((url.host, url.port))
    connection.settimeout(60)
    return connection


def upload(url, length):
    """A connection with an upload of such a length, of which the first bytes are sent alone."""
    connection = connected(url)
    connection.sendall(head(length) + b"some")
    return connection


def begun(url, length):
    """The answer to it."""
    with upload(url, length) as connection:
        return connection.recv(1000)


def is_closed(connection):
    """Whether the other side has closed it; waits a moment."""
    connection.settimeout(0.02)
    try:
        return connection.recv(1000) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_idle_connections_shut_nobody_out_for_long(counting, serving):
    archive = counting.directory / "server.zip"
    url = serving(application(archive, PATIENT), connection_seconds=0.5)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connected(url)) for _ in range(70)]
        for connection in idle[::2]:
            connection.sendall(b"GET /model HTTP/1.1\r\nHost: 127.")
        while httpx.get(f"{url}/model").status_code != 200:
            time.sleep(0.05)
        assert all(is_closed(connection) for connection in idle[:5])


@pytest.mark.parametrize(
    "begin", [b"", b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", head(10**12)]
)
def test_a_connection_that_trickles_is_closed(begin, counting, serving):
    """At its beginning, after an answer, and after a refusal of a body that goes on arriving."""
    archive = counting.directory / "server.zip"
    url = serving(application(archive, PATIENT), connection_seconds=0.2)
    with connected(url) as connection:
        connection.sendall(begin)
        if begin:
            assert connection.recv(1000).startswith(b"HTTP/1.1 4")
        for _ in range(3_000):
            try:
                connection.sendall(b"G")
            except ConnectionError:
                return
            if is_closed(connection):
                return
    raise AssertionError("the connection was not closed")


def test_a_request_may_take_longer_than_an_idle_connection(counting, serving):
    archive = counting.directory / "server.zip"
    url = serving(application(archive, PATIENT), connection_seconds=0.1)
    assert Caller(url).upload(counting.keys).status_code == 201  # it starts a process


def test_what_is_no_request_is_refused(server):
    assert httpx.get(f"{server}/model", headers={"Host": "example.org"}).status_code == 400
    refused(httpx.get(f"{server}/nothing"), 404, "Not Found")
    refused(httpx.put(f"{server}/jobs"), 405, "Method Not Allowed")


def test_a_worker_loads_no_archive_of_another_digest(counting, serving, tmp_path):
    archive = tmp_path / "server.zip"
    content = (counting.directory / "server.zip").read_bytes()
    archive.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    url = serving(application(archive, PATIENT, sha256))
    assert Caller(url).upload(counting.keys).status_code == 201
    with zipfile.ZipFile(archive, "a") as changed:
        changed.writestr("more", b"")
    refused(Caller(url).upload(counting.keys), 503, "did not start")


def test_no_process_is_left(counting, serving):
    archive = counting.directory / "server.zip"
    before = _workers(archive)  # of other tests' servers
    url = serving(application(archive, PATIENT))
    Caller(url).upload(counting.keys)
    assert len(_workers(archive) - before) == 1
    serving.stop(url)
    assert _workers(archive) == before


def _workers(archive):
    found = set()
    for process in pathlib.Path("/proc").iterdir():
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if b"encrypted_digits.worker" in command and str(archive).encode() in command:
            found.add(process.name)
    return found
