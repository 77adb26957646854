"""The process with the secret key: it goes on after an error, and ends without a word."""

import asyncio
import multiprocessing
import pathlib
import signal

import pytest
from encrypted_digits import keyholder
from encrypted_digits.keyholder import KeyHolder

pytestmark = pytest.mark.fhe


class Client:
    """In place of `fhe.Client`."""

    def keys(self):
        return b"keys"


def test_an_error_does_not_lose_the_key(counting):
    async def ask():
        holder = KeyHolder(counting.directory / "client.zip")
        keys = await holder.call("evaluation_keys")
        with pytest.raises(AttributeError, match="no attribute 'nothing'") as raised:
            await holder.call("nothing")
        assert "in _answer" in raised.value.__notes__[0]
        assert await holder.call("evaluation_keys") == keys
        await holder.close()

    asyncio.run(ask())


def test_it_ignores_ctrl_c_from_its_start():
    before = signal.getsignal(signal.SIGINT)
    holder = KeyHolder("nowhere.zip")
    status = pathlib.Path(f"/proc/{holder._process.pid}/status").read_text()
    asyncio.run(holder.close())
    ignored = int(status.split("SigIgn:")[1].split()[0], 16)
    assert ignored & 1 << signal.SIGINT - 1
    assert signal.getsignal(signal.SIGINT) is before


def test_it_ends_quietly_with_the_process_that_started_it(monkeypatch):
    monkeypatch.setattr(keyholder.fhe.Client, "load", lambda path: Client())
    ours, theirs = multiprocessing.Pipe()
    ours.send(("keys", ()))
    ours.close()
    keyholder._answer(theirs, "client.zip")  # it has made keys, and nobody takes them
