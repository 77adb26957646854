"""The clients of the server: their evaluation keys and their jobs."""

import asyncio
import dataclasses
import secrets
import time

from starlette.exceptions import HTTPException

from addrnn.fhe import CircuitSpec
from encrypted_digits.evaluator import Died, Evaluator, Refused


@dataclasses.dataclass(frozen=True)
class Limits:
    """The limits of one server.

    Args:
        clients: Clients whose keys it holds. Each takes the memory of its expanded keys.
        jobs: Jobs of one client that wait or run.
        finished: Finished jobs of one client. Beyond them, the oldest is forgotten.
        upload_grace_seconds, upload_bytes_per_second: The time for the body of a request: the
            first, and as much longer as its bytes take at this pace.
        load_seconds: The time for a worker to start, and to load keys.
        evaluation_seconds: The time for one evaluation, without its time in the queue.
        idle_seconds: A client without a request for so long is forgotten.
    """

    clients: int = 4
    jobs: int = 4
    finished: int = 16
    upload_grace_seconds: float = 10
    upload_bytes_per_second: int = 500_000
    load_seconds: float = 120
    evaluation_seconds: float = 600
    idle_seconds: float = 1800


@dataclasses.dataclass
class Job:
    """The evaluation of one ciphertext."""

    id: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(12))
    state: str = "waiting"  # then running, then done or failed
    progress: float = 0.0
    seconds: float | None = None
    error: str | None = None
    output: bytes | None = None

    @property
    def finished(self):
        return self.state in ("done", "failed")

    def describe(self):
        return {
            "job": self.id,
            "state": self.state,
            "progress": round(self.progress, 2),
            "seconds": self.seconds,
            "error": self.error,
        }


@dataclasses.dataclass(eq=False)
class Session:
    """A client. Its evaluator holds its keys; None when that has ended."""

    key_id: bytes
    evaluator: Evaluator | None
    token: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(32))
    jobs: dict = dataclasses.field(default_factory=dict)
    tasks: set = dataclasses.field(default_factory=set)
    used: float = dataclasses.field(default_factory=time.monotonic)


class Sessions:
    """All clients of a server. It refuses a request with an `HTTPException`."""

    def __init__(self, server_zip, limits, sha256=None):
        self.path, self.limits, self.sha256 = server_zip, limits, sha256
        self.spec = CircuitSpec.load(server_zip, sha256)
        self._sessions = {}
        self._opening = 0
        self._turn = asyncio.Semaphore(1)  # one evaluation takes all processors

    async def check_room(self):
        """Raises an `HTTPException` if there are as many clients as the limit allows."""
        await self._forget_idle()
        taken = sum(session.evaluator is not None for session in self._sessions.values())
        if taken + self._opening >= self.limits.clients:
            raise HTTPException(
                503, "The server holds the keys of as many clients as it can. Try again later."
            )

    async def open(self, message):
        """Takes the complete evaluation keys of a client; returns its new session."""
        key_id = self._key_id("keys", message)
        await self.check_room()
        seconds = self.limits.load_seconds
        self._opening += 1
        try:
            evaluator = await Evaluator.start(self.path, self.sha256, seconds)
            try:
                await evaluator.ask(b"keys", message, seconds=seconds)
            except BaseException as error:
                await evaluator.close()
                if isinstance(error, Refused | Died):
                    raise HTTPException(
                        400, f"The evaluation keys cannot be used. {error}"
                    ) from error
                raise
        finally:
            self._opening -= 1
        session = Session(key_id, evaluator)
        self._sessions[session.token] = session
        return session

    async def find(self, token):
        """The session of a token."""
        await self._forget_idle()
        session = self._sessions.get(token)
        if session is None:
            raise HTTPException(
                401, "The server does not know this client. Upload the evaluation keys."
            )
        session.used = time.monotonic()
        return session

    def submit(self, session, message):
        """Takes a ciphertext; returns its job."""
        if session.evaluator is None:
            raise HTTPException(
                401, "An evaluation has failed, and the keys with it. Upload them again."
            )
        if sum(not job.finished for job in session.jobs.values()) >= self.limits.jobs:
            raise HTTPException(
                429, f"{self.limits.jobs} jobs of this client wait already. Wait for one."
            )
        if self._key_id("input", message) != session.key_id:
            raise HTTPException(
                400,
                "This is encrypted under other keys than this client has uploaded. Upload those.",
            )
        finished = [job.id for job in session.jobs.values() if job.finished]
        for old in finished[: max(len(finished) - self.limits.finished + 1, 0)]:
            del session.jobs[old]
        job = Job()
        session.jobs[job.id] = job
        task = asyncio.create_task(self._work(session, job, message))
        session.tasks.add(task)
        task.add_done_callback(session.tasks.discard)
        return job

    async def close(self, session):
        """Forgets a client and its keys."""
        self._sessions.pop(session.token, None)
        for task in tuple(session.tasks):
            task.cancel()
        await asyncio.gather(*session.tasks, return_exceptions=True)
        if session.evaluator is not None:
            await session.evaluator.close()

    async def close_all(self):
        for session in tuple(self._sessions.values()):
            await self.close(session)

    def _key_id(self, kind, message):
        try:
            return self.spec.unpack(kind, message)[0]
        except ValueError as error:
            raise HTTPException(400, str(error)) from error

    async def _work(self, session, job, message):
        async with self._turn:
            if session.evaluator is None:
                job.state, job.error = (
                    "failed",
                    "The evaluation before it has ended the process. Try again.",
                )
                return
            job.state, started = "running", time.monotonic()
            try:
                job.output = await session.evaluator.ask(
                    b"run",
                    message,
                    seconds=self.limits.evaluation_seconds,
                    on_progress=lambda progress: setattr(job, "progress", progress),
                )
            except Refused as error:
                job.state, job.error = "failed", str(error)
            except Died as error:
                job.state, job.error = "failed", f"The evaluation has failed. {error}"
                evaluator, session.evaluator = session.evaluator, None
                await evaluator.close()
            else:
                job.state, job.progress = "done", 1.0
            job.seconds = round(time.monotonic() - started, 2)
            session.used = time.monotonic()

    async def _forget_idle(self):
        oldest = time.monotonic() - self.limits.idle_seconds
        for session in tuple(self._sessions.values()):
            if session.used < oldest and not session.tasks:
                await self.close(session)
