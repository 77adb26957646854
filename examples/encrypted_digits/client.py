"""The client has digits encrypted for the server, and its answers decrypted."""

import asyncio
import contextlib
import dataclasses
import json
import math
import time

import httpx

from addrnn.fhe import CircuitSpec
from encrypted_digits.keyholder import KeyHolder
from encrypted_digits.server import BINARY

_POLL_SECONDS = 0.2
_ANSWER_SECONDS = 1800  # with the time in which others are served
_THIS_SERVER = "Start the server of this example there."
_NOT_UNDERSTOOD = f"The server answers what this client does not understand. {_THIS_SERVER}"
_TIMEOUT = httpx.Timeout(10, read=300, write=60)  # the server answers when it has taken the keys


class ServerError(Exception):
    """The server cannot be reached, or does not do what it was asked; the message is for people."""


class _UnknownClient(Exception):
    pass


@dataclasses.dataclass
class Digit:
    """A digit on its way to its answer.

    Args:
        state: encrypting, then waiting, running, and done or failed.
        progress: The fraction of the evaluation that is done, from 0 to 1.
        scores: Integers, one for each class, as the integer model gives them.
        seconds: The time from the digit to the answer.
        evaluation_seconds: The part of it that the server's evaluation took.
        sent_bytes, received_bytes: The sizes of the ciphertexts.
        error: Why it has failed.
    """

    state: str = "encrypting"
    progress: float = 0.0
    scores: list | None = None
    seconds: float | None = None
    evaluation_seconds: float | None = None
    sent_bytes: int | None = None
    received_bytes: int | None = None
    error: str | None = None

    @property
    def finished(self):
        return self.state in ("done", "failed")


class DigitClient:
    """Has digits classified by a server. Another process, a `KeyHolder`, has the secret key.

    Its methods raise `Ended` where that process has ended.

    Args:
        client_zip: Path of the `client.zip` that belongs to the server's `server.zip`.
        server: URL of the server.

    Raises:
        OSError, ValueError: The archive cannot be read, or this is no URL.
    """

    def __init__(self, client_zip, server):
        self.server = _checked_url(server)
        self.spec = CircuitSpec.load(client_zip)
        self._holder = KeyHolder(client_zip)
        self._http = httpx.AsyncClient(base_url=server, timeout=_TIMEOUT)
        self._token = None
        self._keys = None
        self._connecting = asyncio.Lock()

    async def make_keys(self):
        """Makes the secret key and the evaluation keys; returns the bytes of these."""
        if self._keys is None:
            self._keys = await self._holder.call("evaluation_keys")
        return len(self._keys)

    async def connect(self):
        """Uploads the evaluation keys, unless the server has them.

        Raises:
            ServerError: The server does not answer, has another circuit, or refuses.
        """
        async with self._connecting:
            if self._token is not None:
                return
            try:
                about = _fields(await self._ask("GET", "/model"), circuit=str)
                if about["circuit"] != self.spec.circuit_id:
                    raise ServerError(
                        f"The server at {self.server} evaluates another circuit than this "
                        "client.zip is for. Give it the server.zip that was saved with it."
                    )
                answer = await self._ask("POST", "/clients", self._keys)
            except _UnknownClient as error:
                raise ServerError(
                    f"The server at {self.server} refuses this client (401). {_THIS_SERVER}"
                ) from error
            self._token = _fields(answer, client=str)["client"]

    async def classify(self, pixels, digit):
        """Classifies a digit.

        Args:
            pixels: Real numbers `[T, D]`, as the model reads them.
            digit: `Digit`, which gets the progress and the answer.

        Raises:
            ServerError: The server does not answer, or the evaluation fails.
        """
        started = time.monotonic()
        message = await self._holder.call("encrypt", self.spec.inputs.quantize(pixels))
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                try:
                    output = await self._evaluated(message, digit)
                except _UnknownClient:  # the server has forgotten its client
                    output = await self._evaluated(message, digit)
        except _UnknownClient as error:
            raise ServerError("The server forgets this client at once. Try again.") from error
        except TimeoutError as error:
            raise ServerError(
                f"No answer has come in {_ANSWER_SECONDS} seconds. Try again."
            ) from error
        try:
            digit.scores = (await self._holder.call("decrypt", output)).tolist()
        except ValueError as error:
            raise ServerError(f"The server's answer cannot be decrypted. {error}") from error
        digit.sent_bytes, digit.received_bytes = len(message), len(output)
        digit.seconds = time.monotonic() - started
        digit.state, digit.progress = "done", 1.0

    async def close(self):
        """Lets the server forget the keys, where it can be reached, and ends the `KeyHolder`."""
        try:
            if self._token is not None:
                with contextlib.suppress(ServerError, _UnknownClient):
                    await self._ask("DELETE", "/clients")
            await self._http.aclose()
        finally:
            await self._holder.close()

    async def _evaluated(self, message, digit):
        """The encrypted output."""
        await self.connect()
        job = _job(await self._ask("POST", "/jobs", message))
        while job["state"] in ("waiting", "running"):
            digit.state, digit.progress = job["state"], job["progress"]
            await asyncio.sleep(_POLL_SECONDS)
            job = _job(await self._ask("GET", f"/jobs/{job['job']}"))
        if job["state"] != "done":
            raise ServerError(str(job.get("error")))
        digit.evaluation_seconds = job["seconds"]
        return await self._ask("GET", f"/jobs/{job['job']}/output")

    async def _ask(self, method, path, content=None):
        headers = {"Content-Type": BINARY} if content is not None else {}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        largest = self.spec.max_message_bytes("output")
        try:
            async with self._http.stream(method, path, content=content, headers=headers) as answer:
                body = bytearray()
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > largest:
                        raise ServerError(
                            f"The server's answer is longer than {largest} bytes. {_THIS_SERVER}"
                        )
        # What the server has given as token or job makes no header or path.
        except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError) as error:
            raise ServerError(_NOT_UNDERSTOOD) from error
        except httpx.ReadTimeout as error:
            raise ServerError(
                f"The server at {self.server} is busy: it has not answered in "
                f"{_TIMEOUT.read:g} seconds. Try again later."
            ) from error
        except httpx.HTTPError as error:
            raise ServerError(
                f"The server at {self.server} does not answer ({type(error).__name__}). Start it, "
                "or give the URL of another as --server."
            ) from error
        if answer.status_code == 401:
            self._token = None
            raise _UnknownClient
        if answer.is_error:
            raise ServerError(_fields(body, error=str)["error"])
        return bytes(body)


def _checked_url(server):
    try:
        url = httpx.URL(server)
        if url.scheme in ("http", "https") and url.host:
            return server
    except httpx.InvalidURL:
        pass
    raise ValueError(
        f"The server must be given by its URL, such as http://127.0.0.1:8600. Received: {server}"
    )


def _job(body):
    number = float | int
    job = _fields(body, job=str, state=str, progress=number, seconds=number | None)
    seconds = -1 if job["state"] == "done" and job["seconds"] is None else job["seconds"] or 0
    if not (0 <= job["progress"] <= 1 and 0 <= seconds < math.inf):
        raise ServerError(_NOT_UNDERSTOOD)
    return job


def _fields(body, **types):
    """The JSON object of an answer, which must have these fields."""
    try:
        fields = json.loads(body)
        if all(isinstance(fields[name], kind) for name, kind in types.items()):
            return fields
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ServerError(_NOT_UNDERSTOOD)
