"""Puts an application on a port of this machine, and processes that do so."""

import contextlib
import pathlib
import signal
import socket
import subprocess
import sys
import threading

import uvicorn

HOST = "127.0.0.1"
_FIRST_LINE = "Serving "
_STOP_SECONDS = 10


def serve(application, port):
    """Serves until the process is told to end; prints where once it can be reached.

    Raises:
        OSError: The port cannot be had.
    """
    config = uvicorn.Config(
        application,
        log_level="info",
        limit_concurrency=64,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=3,
    )
    with socket.create_server((HOST, port)) as listener:
        print(f"{_FIRST_LINE}http://{HOST}:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(config).run(sockets=[listener])


class Process:
    """A process of this example that serves. It ends when the `with` block does.

    Args:
        name: What it is called in messages.
        arguments: Of `python examples/encrypted_digits`.
        log: Path of a file for what it prints.

    Raises:
        RuntimeError: It has ended before it served; the message has the last of what it printed.
    """

    def __init__(self, name, arguments, log):
        self.name, self._log = name, pathlib.Path(log)
        with open(log, "wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", str(pathlib.Path(__file__).parent), *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl-C in a terminal is for the one that started it
            )
        self.url = None
        for line in self._process.stdout:
            if line.startswith(_FIRST_LINE):
                self.url = line.removeprefix(_FIRST_LINE).strip()
                break
        if self.url is None:
            self.stop()
            raise RuntimeError(f"The {name} has not started:\n{self._last_lines()}")
        self._drain = threading.Thread(target=self._process.stdout.read, daemon=True)
        self._drain.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def stop(self):
        """Asks the process to end, and ends it where it does not; returns its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
        if self._process.poll() is None:
            self._process.kill()
        return self._process.wait()

    def _last_lines(self):
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-5:])
