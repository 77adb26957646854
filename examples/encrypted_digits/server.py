"""The server: takes evaluation keys and ciphertexts over HTTP, and computes on what it cannot read.

It holds `server.zip` and, for each client, the evaluation keys that the client has uploaded; with
them one can compute and not decrypt. It listens on this machine alone: before it goes on a network,
put TLS and a limit of requests in front of it.

| request                | body             | answer                                              |
| ---------------------- | ---------------- | --------------------------------------------------- |
| `GET /model`           |                  | 200: the circuit, its sizes, the limits             |
| `POST /clients`        | evaluation keys  | 201: `client`, a token for `Authorization: Bearer`  |
| `DELETE /clients`      |                  | 204: keys and jobs of this client are forgotten     |
| `POST /jobs`           | a ciphertext     | 202: `job`                                          |
| `GET /jobs/ID`         |                  | 200: `state`, `progress`, `seconds`, `error`        |
| `GET /jobs/ID/output`  |                  | 200: the encrypted output                           |

An error is 4xx or 503 and `{"error": "what was wrong, and what to do"}`.
"""

import asyncio
import contextlib

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from addrnn.fhe import _messages
from encrypted_digits.evaluator import Died
from encrypted_digits.sessions import Full, Rejected, Sessions, TooManyJobs, Unknown

BINARY = "application/octet-stream"


def application(server_zip, limits):
    """The Starlette application of the circuit of one `server.zip`, within `Limits`."""
    sessions = Sessions(server_zip, limits)

    async def model(request):
        interface, sizes = sessions.interface, sessions.sizes
        return JSONResponse(
            {
                "circuit": interface.circuit_id,
                "timesteps": interface.timesteps,
                "features": len(interface.least),
                "output_shape": interface.output_shape,
                "evaluation_key_bytes": sum(sizes.keys),
                "input_bytes": sum(sizes.input),
                "output_bytes": sum(sizes.output),
                "clients": limits.clients,
                "jobs": limits.jobs,
                "evaluation_seconds": limits.evaluation_seconds,
            }
        )

    async def add_client(request):
        async with sessions.place():
            keys = await _body(request, _messages.largest(sessions.sizes.keys), limits)
            session = await sessions.open(keys)
        return JSONResponse({"client": session.token}, 201)

    async def remove_client(request):
        await sessions.close(await _session(request))
        return Response(status_code=204)

    async def add_job(request):
        session = await _session(request)
        message = await _body(request, _messages.largest(sessions.sizes.input), limits)
        return JSONResponse(sessions.submit(session, message).describe(), 202)

    async def job(request):
        return JSONResponse((await _job(request)).describe())

    async def output(request):
        job = await _job(request)
        if job.state != "done":
            raise HTTPException(409, f"There is no output: the job is {job.state}.")
        return Response(job.output, media_type=BINARY)

    async def _session(request):
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return await sessions.find(token if scheme.lower() == "bearer" else "")

    async def _job(request):
        job = (await _session(request)).jobs.get(request.path_params["id"])
        if job is None:
            raise HTTPException(404, "This client has no such job, or no longer.")
        return job

    @contextlib.asynccontextmanager
    async def lifespan(app):
        yield
        await sessions.close_all()

    return Starlette(
        routes=[
            Route("/model", model),
            Route("/clients", add_client, methods=["POST"]),
            Route("/clients", remove_client, methods=["DELETE"]),
            Route("/jobs", add_job, methods=["POST"]),
            Route("/jobs/{id}", job),
            Route("/jobs/{id}/output", output),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        exception_handlers={
            HTTPException: lambda request, error: _error(error.status_code, error.detail),
            Rejected: lambda request, error: _error(400, error),
            ClientDisconnect: lambda request, error: _error(400, "The request was not finished."),
            Unknown: lambda request, error: _error(401, error),
            TooManyJobs: lambda request, error: _error(429, error),
            Full: lambda request, error: _error(503, error),
            Died: lambda request, error: _error(503, error),
            Exception: lambda request, error: _error(500, "The server has failed; see its log."),
        },
        lifespan=lifespan,
    )


async def _body(request, largest, limits):
    """The body of a request; not one of another type, too long or too slow."""
    if request.headers.get("content-type") != BINARY:
        raise HTTPException(415, f"Send it as Content-Type: {BINARY}.")
    too_long = HTTPException(413, f"At most {largest} bytes are taken for this circuit.")
    declared = request.headers.get("content-length", "0")
    if int(declared) > largest:  # uvicorn has refused what is no number
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(limits.upload_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest:
                    raise too_long
    except TimeoutError as error:
        raise HTTPException(
            408, f"It has not arrived within {limits.upload_seconds:g} seconds."
        ) from error
    return bytes(body)


def _error(status, message):
    return JSONResponse({"error": str(message)}, status)
