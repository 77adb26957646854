"""Who is known to the server: for each client its evaluation keys, and its jobs."""

import asyncio
import contextlib
import dataclasses
import secrets
import time

from addrnn.fhe import _messages
from addrnn.fhe._interface import Interface
from addrnn.fhe._sizes import Sizes
from encrypted_digits.evaluator import Died, Evaluator, Refused


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one server takes at most.

    Args:
        clients: Clients whose keys it holds: each costs the memory of its keys, expanded.
        jobs: Jobs of one client that wait or run.
        finished: Jobs of one client whose result is kept; then the oldest is forgotten.
        upload_seconds: For a request's body to arrive.
        load_seconds: For a process to start, and to take keys.
        evaluation_seconds: For one evaluation, without the time in which it waits for its turn.
        idle_seconds: After which a client that asks nothing is forgotten.
    """

    clients: int = 4
    jobs: int = 4
    finished: int = 16
    upload_seconds: float = 120
    load_seconds: float = 120
    evaluation_seconds: float = 600
    idle_seconds: float = 1800


class Full(Exception):
    """The server has as many clients as it takes."""


class TooManyJobs(Exception):
    """A client has as many jobs as it may."""


class Unknown(Exception):
    """There is no such client, or no longer."""


class Rejected(Exception):
    """These are no keys, or this is no ciphertext, for this circuit and this client."""


@dataclasses.dataclass
class Job:
    """One ciphertext on its way."""

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
    """A client: its keys are in the process of its evaluator, None when that has ended."""

    key_id: bytes
    evaluator: Evaluator | None
    token: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(32))
    jobs: dict = dataclasses.field(default_factory=dict)
    tasks: set = dataclasses.field(default_factory=set)
    used: float = dataclasses.field(default_factory=time.monotonic)


class Sessions:
    """All clients of a server that evaluates the circuit of one `server.zip`."""

    def __init__(self, server_zip, limits):
        self.path, self.limits = server_zip, limits
        self.interface, self.sizes = Interface.load(server_zip), Sizes.load(server_zip)
        self._sessions = {}
        self._opening = 0
        self._turn = asyncio.Semaphore(1)  # one evaluation takes all processors

    @contextlib.asynccontextmanager
    async def place(self):
        """Holds the place of a client while its keys arrive.

        Raises:
            Full: There are as many clients as there may be.
        """
        await self._forget_idle()
        taken = sum(session.evaluator is not None for session in self._sessions.values())
        if taken + self._opening >= self.limits.clients:
            raise Full("The server holds the keys of as many clients as it can. Try again later.")
        self._opening += 1
        try:
            yield
        finally:
            self._opening -= 1

    async def open(self, message):
        """Takes evaluation keys, inside of `place`; returns the new session.

        Raises:
            Rejected: They are not evaluation keys for this circuit.
        """
        key_id = self._key_id("keys", message, self.sizes.keys)
        evaluator = await Evaluator.start(self.path, self.limits.load_seconds)
        try:
            await evaluator.load_keys(message, self.limits.load_seconds)
        except BaseException as error:
            await evaluator.close()
            if isinstance(error, (Refused, Died)):
                raise Rejected(f"The evaluation keys cannot be used. {error}") from error
            raise
        session = Session(key_id, evaluator)
        self._sessions[session.token] = session
        return session

    async def find(self, token):
        """The session of a token.

        Raises:
            Unknown: There is none.
        """
        await self._forget_idle()
        session = self._sessions.get(token)
        if session is None:
            raise Unknown("The server does not know this client. Upload the evaluation keys.")
        session.used = time.monotonic()
        return session

    def submit(self, session, message):
        """Takes a ciphertext; returns its job.

        Raises:
            Unknown: The keys are gone.
            TooManyJobs: The client has as many as it may.
            Rejected: It is no ciphertext for this circuit, under the keys of this client.
        """
        if session.evaluator is None:
            raise Unknown("An evaluation has failed, and the keys with it. Upload them again.")
        if sum(not job.finished for job in session.jobs.values()) >= self.limits.jobs:
            raise TooManyJobs(f"{self.limits.jobs} jobs of this client wait already. Wait for one.")
        if self._key_id("input", message, self.sizes.input) != session.key_id:
            raise Rejected("This is encrypted under other keys than this client has uploaded.")
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

    def _key_id(self, kind, message, sizes):
        try:
            return _messages.unpack(kind, message, self.interface.circuit_id, sizes)[0]
        except ValueError as error:
            raise Rejected(str(error)) from error

    async def _work(self, session, job, message):
        async with self._turn:
            if session.evaluator is None:
                job.state, job.error = "failed", "The evaluation before it has ended the process."
                return
            job.state, started = "running", time.monotonic()
            try:
                job.output = await session.evaluator.run(
                    message,
                    self.limits.evaluation_seconds,
                    lambda progress: setattr(job, "progress", progress),
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
