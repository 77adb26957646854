"""HTTP on a port of this machine, with limits for connections and for the bodies of requests."""

import asyncio
import socket

import uvicorn
from starlette.exceptions import HTTPException
from uvicorn.protocols.http.h11_impl import H11Protocol

HOST = "127.0.0.1"
FIRST_LINE = "Serving "  # then the URL


class _Protocol(H11Protocol):
    """Closes a connection that has no request in progress for `timeout_keep_alive` seconds.

    uvicorn itself closes a connection only between two requests, and not while headers arrive byte
    by byte. A connection is without a request until the headers are complete, and after the answer.
    """

    _timer = None

    def connection_made(self, transport):
        super().connection_made(transport)
        self._watch()

    def data_received(self, data):
        super().data_received(data)
        self._watch()

    def on_response_complete(self):
        super().on_response_complete()
        self._watch()

    def connection_lost(self, error):
        self._stop()
        super().connection_lost(error)

    def _watch(self):
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    def _stop(self):
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def configuration(application, connection_seconds=10):
    """The `uvicorn.Config` of both servers.

    Args:
        application: The Starlette application.
        connection_seconds: How long a connection may be open without a request in progress.
    """
    return uvicorn.Config(
        application,
        http=_Protocol,
        log_level="info",
        limit_concurrency=64,
        timeout_keep_alive=connection_seconds,
        timeout_graceful_shutdown=3,
    )


def serve(application, port):
    """Serves until the process is told to end. Prints the URL when it can be reached.

    Raises:
        OSError: The port is not free.
    """
    with socket.create_server((HOST, port)) as listener:
        print(f"{FIRST_LINE}http://{HOST}:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(configuration(application)).run(sockets=[listener])


class BodyReader:
    """Reads the bodies of requests, within limits.

    Args:
        media_type: The type that a body must have.
        memory: Bytes that all bodies take at most while they arrive.
        grace_seconds, bytes_per_second: A body arrives in `grace_seconds`, and as much longer as
            its bytes take at this pace.
    """

    def __init__(self, media_type, memory, grace_seconds=10, bytes_per_second=500_000):
        self.media_type, self.memory = media_type, memory
        self.grace_seconds, self.bytes_per_second = grace_seconds, bytes_per_second
        self._held = 0

    async def read(self, request, largest):
        """The body of a request, of at most `largest` bytes.

        Raises:
            HTTPException: It has another type, is too long or too slow, or there are too many.
        """
        if request.headers.get("content-type") != self.media_type:
            raise HTTPException(415, f"Send it as Content-Type: {self.media_type}.")
        too_long = HTTPException(413, f"At most {largest} bytes are taken.")
        if int(request.headers.get("content-length", "0")) > largest:  # uvicorn refuses no number
            raise too_long
        body = bytearray()
        begin = asyncio.get_running_loop().time() + self.grace_seconds
        try:
            async with asyncio.timeout_at(begin) as timeout:
                async for chunk in request.stream():
                    if len(body) + len(chunk) > largest:
                        raise too_long
                    if self._held + len(chunk) > self.memory:
                        raise HTTPException(503, "Too much is being uploaded. Try again later.")
                    self._held += len(chunk)
                    body += chunk
                    timeout.reschedule(begin + len(body) / self.bytes_per_second)
        except TimeoutError as error:
            raise HTTPException(
                408, f"It arrives too slowly: send {self.bytes_per_second:g} bytes a second."
            ) from error
        finally:
            self._held -= len(body)
        return bytes(body)
