"""The server and the client as processes of their own."""

import contextlib
import pathlib
import signal
import subprocess
import sys
import threading

from encrypted_digits.serving import FIRST_LINE

_STOP_SECONDS = 10


class Process:
    """A process of this example that serves. It ends when the `with` block does.

    Args:
        name: Its name in messages.
        arguments: Of `python examples/encrypted_digits`.
        log: Path of a file for its output.

    Raises:
        RuntimeError: It has ended before it served; the message has the last lines of its output.
    """

    def __init__(self, name, arguments, log):
        log = pathlib.Path(log)
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", str(pathlib.Path(__file__).parent), *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl-C in a terminal is for the process that started it
            )
        self.url = None
        for line in self._process.stdout:
            if line.startswith(FIRST_LINE):
                self.url = line.removeprefix(FIRST_LINE).strip()
                break
        if self.url is None:
            self.stop()
            last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            raise RuntimeError(f"The {name} has not started:\n{last}")
        threading.Thread(target=self._process.stdout.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def stop(self):
        """Asks the process to end, then kills it; returns its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
        if self._process.poll() is None:
            self._process.kill()
        return self._process.wait()
