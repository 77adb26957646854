"""Starts a worker process for the server, sends it requests, and ends it."""

import asyncio
import codecs
import multiprocessing
import os
import pathlib
import sys
import tempfile

EXAMPLES = pathlib.Path(__file__).resolve().parents[1]
_BAR = "█"  # concrete-python prints 50 of them
_BAR_LENGTH = 50


class Refused(Exception):
    """The worker refuses a message; the error tells why."""


class Died(Exception):
    """The worker has ended, or took too long."""


class Evaluator:
    """One worker. `start` makes it, and `close` kills its process."""

    def __init__(self, process, pipe, directory):
        self._process, self._pipe, self._directory = process, pipe, directory
        self._on_progress = lambda progress: None
        self._progress = asyncio.create_task(self._read_progress())

    @classmethod
    async def start(cls, server_zip, sha256, seconds):
        """Starts a worker, and waits until it has loaded the circuit.

        Raises:
            Died: It has not done so in that many seconds.
        """
        ours, theirs = multiprocessing.Pipe()
        # concrete-python unpacks the circuit into a temporary directory, and never removes it.
        directory = tempfile.TemporaryDirectory(prefix="encrypted_digits.")
        paths = [str(EXAMPLES), str(EXAMPLES.parent)]
        arguments = [str(theirs.fileno()), str(server_zip), *([sha256] if sha256 else [])]
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *[sys.executable, "-W", "ignore", "-m", "encrypted_digits.worker", *arguments],
                stdout=asyncio.subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                env=os.environ | {"TMPDIR": directory.name, "PYTHONPATH": os.pathsep.join(paths)},
            )
        evaluator = cls(process, ours, directory)
        try:
            await evaluator._ask((), seconds)
        except BaseException as error:
            await evaluator.close()
            if isinstance(error, Died):
                raise Died("The process that evaluates did not start; see its log.") from error
            raise
        return evaluator

    async def load_keys(self, message, seconds):
        """Gives the worker evaluation keys.

        Raises:
            Refused: They are not for this circuit.
            Died: They have ended the worker.
        """
        await self._ask((b"keys", message), seconds)

    async def run(self, message, seconds, on_progress):
        """Evaluates a ciphertext; returns the encrypted output.

        Args:
            message: Bytes of the client.
            seconds: The time limit.
            on_progress: Called with the fraction that is done, from 0 to 1.

        Raises:
            Refused: It is no ciphertext for this circuit and these keys.
            Died: It has ended the worker, or taken too long.
        """
        self._on_progress = on_progress
        try:
            return await self._ask((b"run", message), seconds)
        finally:
            self._on_progress = lambda progress: None

    async def close(self):
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._progress
        self._directory.cleanup()

    async def _ask(self, request, seconds):
        def exchange():
            for part in request:
                self._pipe.send_bytes(part)
            return self._pipe.recv_bytes(), self._pipe.recv_bytes()

        try:
            async with asyncio.timeout(seconds):
                kind, content = await asyncio.to_thread(exchange)
        except TimeoutError as error:
            raise Died(f"It took more than {seconds:g} seconds, and was stopped.") from error
        except (OSError, EOFError) as error:
            raise Died("It ended the process that evaluates.") from error
        if kind == b"refused":
            raise Refused(content.decode())
        return content

    async def _read_progress(self):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        bars = 0
        while chunk := await self._process.stdout.read(4096):
            for character in decoder.decode(chunk):
                if character == "_":  # the scale above each bar
                    bars = 0
                elif character == _BAR:
                    bars += 1
            self._on_progress(min(bars / _BAR_LENGTH, 1))
