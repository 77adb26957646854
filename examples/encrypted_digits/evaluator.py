"""Starts a worker process for the server, sends it requests, and ends it."""

import asyncio
import multiprocessing
import os
import pathlib
import sys
import tempfile

EXAMPLES = pathlib.Path(__file__).resolve().parents[1]
_BAR = "█".encode()  # concrete-python prints 50 of them
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
            await evaluator.ask(seconds=seconds)  # it answers when it has loaded the circuit
        except BaseException as error:
            await evaluator.close()
            if isinstance(error, Died):
                raise Died("The process that evaluates did not start; see its log.") from error
            raise
        return evaluator

    async def ask(self, *request, seconds, on_progress=lambda progress: None):
        """Sends the worker a request; returns the bytes of its answer.

        Args:
            request: `b"keys"` and evaluation keys, or `b"run"` and a ciphertext.
            seconds: The time limit.
            on_progress: Called with the fraction that is evaluated, from 0 to 1.

        Raises:
            Refused: It is not for this circuit, or not for these keys.
            Died: It has ended the worker, or taken too long.
        """

        def exchange():
            for part in request:
                self._pipe.send_bytes(part)
            return self._pipe.recv_bytes(), self._pipe.recv_bytes()

        self._on_progress = on_progress
        try:
            async with asyncio.timeout(seconds):
                kind, content = await asyncio.to_thread(exchange)
        except TimeoutError as error:
            raise Died(f"It took more than {seconds:g} seconds, and was stopped.") from error
        except (OSError, EOFError) as error:
            raise Died("It ended the process that evaluates.") from error
        finally:
            self._on_progress = lambda progress: None
        if kind == b"refused":
            raise Refused(content.decode())
        return content

    async def close(self):
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._progress
        self._directory.cleanup()

    async def _read_progress(self):
        printed = b""
        while chunk := await self._process.stdout.read(4096):
            printed = (printed + chunk).rpartition(b"_")[2]  # of the scale above each bar
            self._on_progress(min(printed.count(_BAR) / _BAR_LENGTH, 1))
