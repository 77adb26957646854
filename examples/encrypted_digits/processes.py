"""The server and the client as processes of their own."""

import contextlib
import pathlib
import subprocess
import sys
import threading

from encrypted_digits.serving import FIRST_LINE

_STOP_SECONDS = 10


@contextlib.contextmanager
def serving(name, arguments, log):
    """Runs a process of this example that serves, gives its URL, and ends it.

    Args:
        name: Its name in messages.
        arguments: Of `python examples/encrypted_digits`.
        log: `pathlib.Path` of a file for its output.

    Raises:
        RuntimeError: It has ended before it served; the message has the last lines of its output.
    """
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(pathlib.Path(__file__).parent), *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C in a terminal is for the process that started it
        )
    try:
        for line in process.stdout:
            if line.startswith(FIRST_LINE):
                threading.Thread(target=process.stdout.read, daemon=True).start()
                yield line.removeprefix(FIRST_LINE).strip()
                return
        last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        raise RuntimeError(f"The {name} has not started:\n{last}")
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
