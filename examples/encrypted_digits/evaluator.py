"""Starts a worker process for the server, sends it requests, and ends it."""

import asyncio
import codecs
import os
import pathlib
import sys
import tempfile

from encrypted_digits.worker import HEAD

EXAMPLES = pathlib.Path(__file__).resolve().parents[1]
_BAR = "█"  # concrete-python prints 50 of them
_BAR_LENGTH = 50


class Refused(Exception):
    """The worker refuses a message; the error tells why."""


class Died(Exception):
    """The worker has ended, or took too long and was ended."""


class Evaluator:
    """One worker. `start` makes it, and `close` kills its process."""

    def __init__(self, process, answers, transport, directory):
        self._process, self._directory = process, directory
        self._answers, self._transport = answers, transport
        self._on_progress = None
        self._progress = asyncio.create_task(self._read_progress())

    @classmethod
    async def start(cls, server_zip, sha256, seconds):
        """Starts a worker, and waits until it has loaded the circuit.

        Raises:
            Died: It has not done so in that many seconds.
        """
        ours, theirs = os.pipe()
        # concrete-python unpacks the circuit into a temporary directory, and never removes it.
        directory = tempfile.TemporaryDirectory(prefix="encrypted_digits.")
        paths = [str(EXAMPLES), str(EXAMPLES.parent)]
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "encrypted_digits.worker",
                str(server_zip),
                str(theirs),
                *([sha256] if sha256 else []),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                pass_fds=(theirs,),
                env=os.environ | {"TMPDIR": directory.name, "PYTHONPATH": os.pathsep.join(paths)},
            )
        finally:
            os.close(theirs)
        answers = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(answers), os.fdopen(ours, "rb")
        )
        evaluator = cls(process, answers, transport, directory)
        try:
            async with asyncio.timeout(seconds):
                await evaluator._answer()
        except BaseException as error:
            await evaluator.close()
            if isinstance(error, (TimeoutError, asyncio.IncompleteReadError)):
                raise Died("The process that evaluates did not start; see its log.") from error
            raise
        return evaluator

    async def load_keys(self, message, seconds):
        """Gives the worker evaluation keys.

        Raises:
            Refused: They are not for this circuit.
            Died: They have ended the worker.
        """
        await self._ask(b"keys", message, seconds)

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
            return await self._ask(b"run", message, seconds)
        finally:
            self._on_progress = None

    async def close(self):
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._progress
        self._transport.close()
        self._directory.cleanup()

    async def _ask(self, kind, message, seconds):
        try:
            async with asyncio.timeout(seconds):
                self._process.stdin.write(HEAD.pack(kind, len(message)))
                self._process.stdin.write(message)
                await self._process.stdin.drain()
                return await self._answer()
        except TimeoutError as error:
            raise Died(f"It took more than {seconds:g} seconds, and was stopped.") from error
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise Died("It ended the process that evaluates.") from error

    async def _answer(self):
        kind, length = HEAD.unpack(await self._answers.readexactly(HEAD.size))
        content = await self._answers.readexactly(length)
        if kind.rstrip(b"\0") == b"refused":
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
            if self._on_progress is not None:
                self._on_progress(min(bars / _BAR_LENGTH, 1))
