"""The process of the client that holds the secret key.

concrete-python lets no other thread run while it makes keys, encrypts or decrypts. In a process of
its own it keeps nobody waiting, and the page is served meanwhile.
"""

import asyncio
import multiprocessing
import signal

from addrnn import fhe


class Ended(Exception):
    """The process has ended; the message is for people."""


class KeyHolder:
    """An `fhe.Client` in a process of its own, which ends by `close` or with this process.

    Args:
        client_zip: Path of the archive for `fhe.Client.load`.
    """

    def __init__(self, client_zip):
        context = multiprocessing.get_context("spawn")  # not "fork": this process has threads
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_answer, args=(theirs, client_zip), daemon=True)
        self._process.start()
        theirs.close()
        self._turn = asyncio.Lock()

    async def call(self, method, *arguments):
        """Calls a method of the `fhe.Client`, and returns what it returns.

        Raises:
            ValueError: As of the method.
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
        if isinstance(answer, ValueError):
            raise answer
        return answer

    async def close(self):
        """Ends the process, whatever it does."""
        self._process.kill()
        await asyncio.to_thread(self._process.join)


def _answer(pipe, client_zip):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    client = fhe.Client.load(client_zip)
    while True:
        try:
            method, arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer = getattr(client, method)(*arguments)
        except ValueError as error:
            answer = error
        pipe.send(answer)
