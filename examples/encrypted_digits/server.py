"""The server takes evaluation keys and ciphertexts over HTTP, and computes without decrypting.

It holds `server.zip` and the evaluation keys of each client. They are for computing, and decrypt
nothing. It listens on this machine alone. README.md tells what a network needs in front.

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

import contextlib

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from encrypted_digits.evaluator import Died
from encrypted_digits.serving import BodyReader
from encrypted_digits.sessions import Sessions

BINARY = "application/octet-stream"


def application(server_zip, limits, sha256=None):
    """The Starlette application.

    Args:
        server_zip: Path of the archive with the circuit.
        limits: `Limits`.
        sha256: The digest that the archive must have; None for any.
    """
    sessions = Sessions(server_zip, limits, sha256)
    spec = sessions.spec
    bodies = BodyReader(
        BINARY,
        limits.clients * spec.max_message_bytes("keys"),
        limits.upload_grace_seconds,
        limits.upload_bytes_per_second,
    )

    async def model(request):
        return JSONResponse(
            {
                "circuit": spec.circuit_id,
                "timesteps": spec.timesteps,
                "features": len(spec.input_min),
                "output_shape": spec.output_shape,
                "evaluation_key_bytes": sum(spec.sizes.keys),
                "input_bytes": sum(spec.sizes.input),
                "output_bytes": sum(spec.sizes.output),
                "clients": limits.clients,
                "jobs": limits.jobs,
                "evaluation_seconds": limits.evaluation_seconds,
            }
        )

    async def add_client(request):
        await sessions.check_room()  # told before the upload; it holds no place
        keys = await bodies.read(request, spec.max_message_bytes("keys"))
        session = await sessions.open(keys)
        return JSONResponse({"client": session.token}, 201)

    async def remove_client(request):
        await sessions.close(await _session(request))
        return Response(status_code=204)

    async def add_job(request):
        session = await _session(request)
        message = await bodies.read(request, spec.max_message_bytes("input"))
        return JSONResponse(sessions.submit(session, message).describe(), 202)

    async def job(request):
        return JSONResponse((await _job(request)).describe())

    async def output(request):
        job = await _job(request)
        if job.state != "done":
            raise HTTPException(
                409, f"There is no output: the job is {job.state}, and must be done."
            )
        return Response(job.output, media_type=BINARY)

    async def _session(request):
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return await sessions.find(token if scheme.lower() == "bearer" else "")

    async def _job(request):
        job = (await _session(request)).jobs.get(request.path_params["id"])
        if job is None:
            raise HTTPException(404, "This client has no such job, or no longer. Submit it anew.")
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
            ClientDisconnect: lambda request, error: _error(400, "The request was not finished."),
            Died: lambda request, error: _error(503, error),
            Exception: lambda request, error: _error(500, "The server has failed; see its log."),
        },
        lifespan=lifespan,
    )


def _error(status, message):
    return JSONResponse({"error": str(message)}, status)
