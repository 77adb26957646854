"""The page to draw a digit, which the client serves to this machine's browser alone.

The page sends the digit to this process, which has it encrypted. The server gets the ciphertext.
"""

import asyncio
import contextlib
import dataclasses
import json
import pathlib
import secrets

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route

from encrypted_digits.client import Digit, ServerError
from encrypted_digits.keyholder import Ended
from encrypted_digits.pixels import INK, SIZE, load, normalized
from encrypted_digits.serving import BodyReader

PAGE = pathlib.Path(__file__).with_name("page")
_LARGEST_REQUEST = 4096
_KEPT = 16  # digits whose answers can be read
_RETRY_SECONDS = 1
_FAILED = "The client has failed; see its messages."
# The page takes nothing from elsewhere, and no other site may frame it.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src data:; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


def application(client):
    """The Starlette application for a `DigitClient`, which makes its keys meanwhile."""
    digits, tasks = {}, set()
    # A page of another site cannot send this type without asking first, which is refused.
    bodies = BodyReader("application/json", memory=16 * _LARGEST_REQUEST)
    status = {"state": "making keys", "error": None, "server": client.server}

    async def connect():
        try:
            status["evaluation_key_bytes"] = await client.make_keys()
            status["state"] = "connecting"
            while status["state"] != "ready":
                try:
                    await client.connect()
                except ServerError as error:
                    status["error"] = str(error)
                    await asyncio.sleep(_RETRY_SECONDS)
                else:
                    status.update(state="ready", error=None)
        except Ended as error:
            status.update(state="failed", error=str(error))
        except Exception:
            status.update(state="failed", error=f"{_FAILED} Start the client again.")
            raise

    async def classify(digit, pixels):
        try:
            features = len(client.spec.input_min)
            await client.classify(normalized(pixels, features), digit)
        except (ServerError, Ended) as error:
            digit.state, digit.error = "failed", str(error)
        except Exception:
            digit.state, digit.error = "failed", _FAILED
            raise

    def start(coroutine):
        task = asyncio.create_task(coroutine)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def get_status(request):
        return JSONResponse(status)

    async def add_digit(request):
        pixels = _pixels(await bodies.read(request, _LARGEST_REQUEST))
        if any(not digit.finished for digit in digits.values()):
            raise HTTPException(409, "A digit is on its way. Wait for its answer.")
        while len(digits) >= _KEPT:
            del digits[next(iter(digits))]
        name, digit = secrets.token_urlsafe(8), Digit()
        digits[name] = digit
        start(classify(digit, pixels))
        return JSONResponse({"digit": name}, 202)

    async def get_digit(request):
        digit = digits.get(request.path_params["name"])
        if digit is None:
            raise HTTPException(404, "There is no such digit, or no longer. Send it anew.")
        return JSONResponse(dataclasses.asdict(digit))

    async def get_example(request):
        images, labels = await asyncio.to_thread(load)
        index = secrets.randbelow(len(images))
        return JSONResponse({"pixels": images[index].tolist(), "label": int(labels[index])})

    def file(name):
        async def send(request):
            return FileResponse(PAGE / name, headers=_HEADERS)

        return send

    @contextlib.asynccontextmanager
    async def lifespan(app):
        start(connect())
        yield
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.close()

    return Starlette(
        routes=[
            Route("/", file("index.html")),
            Route("/page.js", file("page.js")),
            Route("/page.css", file("page.css")),
            Route("/status", get_status),
            Route("/example", get_example),
            Route("/digits", add_digit, methods=["POST"]),
            Route("/digits/{name}", get_digit),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        exception_handlers={HTTPException: _error},
        lifespan=lifespan,
    )


def _pixels(body):
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "This is not JSON. Send an object with `pixels`.") from error
    try:
        pixels = np.array(content["pixels"])
    except (KeyError, TypeError, ValueError):
        pixels = np.array(None)
    if (
        pixels.shape != (SIZE, SIZE)
        or pixels.dtype != int
        or set(pixels.flat) - set(range(INK + 1))
    ):
        raise HTTPException(
            400, f"`pixels` must be {SIZE} rows of {SIZE} integers from 0 (paper) to {INK} (ink)."
        )
    return pixels


async def _error(request, error):
    return JSONResponse({"error": error.detail}, error.status_code)
