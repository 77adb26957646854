"""The process of the client that holds the secret key.

concrete-python lets no other thread run while it makes keys, encrypts or decrypts. In a process of
its own it keeps nobody waiting, and the page is served meanwhile.
"""

import asyncio
import contextlib
import multiprocessing
import signal
import traceback

from addrnn import fhe


class Ended(Exception):
    """The process has ended; the message is for people."""


class KeyHolder:
    """An `fhe.Client` in a process of its own, which ends by `close` or with this process.

    It is made in the main thread, where alone Python sets signals.

    Args:
        client_zip: Path of the archive for `fhe.Client.load`.
    """

    def __init__(self, client_zip):
        context = multiprocessing.get_context("spawn")  # not "fork": this process has threads
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_answer, args=(theirs, client_zip), daemon=True)
        # Ctrl-C is for this process. The new one inherits that, and so ignores it from its start.
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._process.start()
        finally:
            signal.signal(signal.SIGINT, handler)
        theirs.close()
        self._turn = asyncio.Lock()

    async def call(self, method, *arguments):
        """Calls a method of the `fhe.Client`, and returns what it returns.

        Raises:
            Exception: As of the method.
            Ended: The process has ended.
        """

        def exchange():
            self._pipe.send((method, arguments))
            return self._pipe.recv()

        try:
            async with self._turn:
                answer = await asyncio.to_thread(exchange)
        except (OSError, EOFError) as error:
            raise Ended(
                "The process that holds the secret key has ended; see its messages. Start the "
                "client again."
            ) from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self):
        """Ends the process, whatever it does."""
        self._process.kill()
        await asyncio.to_thread(self._process.join)


def _answer(pipe, client_zip):
    client = fhe.Client.load(client_zip)
    with contextlib.suppress(EOFError, ConnectionError):  # the process that started this one ended
        while True:
            method, arguments = pipe.recv()
            try:
                answer = getattr(client, method)(*arguments)
            except Exception as error:
                error.add_note(traceback.format_exc())  # the error itself goes without it
                answer = error
            pipe.send(answer)
