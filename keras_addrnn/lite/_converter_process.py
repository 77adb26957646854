"""Runs TensorFlow's converter, and LiteRT, in a process of its own.

Both are C++ that ends its process when it meets something unexpected. The user's process may hold a
model that took a day to train, and must not end. The other process takes seconds to start, since it
imports TensorFlow; so it is kept for a while, for the next model.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading

from keras_addrnn.lite import _converter_program
from keras_addrnn.lite._converter_program.array_files import read_arrays, write_arrays

_PROGRAM = pathlib.Path(_converter_program.__file__).parent
_one_at_a_time = threading.Lock()
_started = None


class ConversionError(Exception):
    """The converter or LiteRT failed, or crashed; its message says how."""


def convert(graph, inputs, outputs, *, quantize, library=None, batches=None):
    """Converts a frozen graph without variables to a flatbuffer.

    The names of tensors are in the order of the file. The ops of `library`, the path of a library
    of TensorFlow ops, may become custom operators. int8 and int16x8 take an array `[batches,
    *shape]` for each input. Raises a `ConversionError`.
    """
    job = {
        "inputs": inputs,
        "outputs": outputs,
        "quantize": quantize,
        "library": library,
        "custom_operators": library is not None,
    }
    with _folder(job, batches) as folder:
        (folder / "graph.pb").write_bytes(graph.SerializeToString(deterministic=True))
        _work_on(folder)
        return (folder / "model.tflite").read_bytes()


def run(content, inputs, *, delegate=None):
    """Runs a file in LiteRT, whose inputs are resized to the arrays; returns the list of outputs.

    `delegate` is the path of an external delegate, or None. Raises a `ConversionError`.
    """
    with _folder({"delegate": delegate}, inputs) as folder:
        (folder / "model.tflite").write_bytes(content)
        _work_on(folder)
        return read_arrays(folder / "outputs.npz")


@contextlib.contextmanager
def _folder(job, arrays):
    """A temporary folder with a job for the process, and the arrays that it needs."""
    with tempfile.TemporaryDirectory(prefix="keras_addrnn-") as folder:
        folder = pathlib.Path(folder)
        (folder / "job.json").write_text(json.dumps(job))
        if arrays is not None:
            write_arrays(folder / "inputs.npz", arrays)
        yield folder


def _work_on(folder):
    """Has the process work on a folder; raises `ConversionError` if that fails."""
    with _one_at_a_time:
        error = _error_of(folder)
    if error is not None:
        raise ConversionError(error)


class _Process:
    def __init__(self):
        # Unnamed, so that nothing is left of it whatever happens.
        self.log = tempfile.TemporaryFile()
        # What can be imported here, at whichever place, can be imported there. No GPU: the
        # converter has no use for one, and TensorFlow would take its memory.
        path = os.pathsep.join(_absolute(sys.path))
        self.popen = subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM)],
            cwd=os.sep,  # the one here may be deleted before that one ends
            env={**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.owner = os.getpid()

    def answer(self, folder):
        """The answer, or "" if the process ended without one."""
        try:
            print(folder, file=self.popen.stdin, flush=True)
            return self.popen.stdout.readline()
        except BrokenPipeError:
            return ""

    def usable(self):
        return self.owner == os.getpid() and self.popen.poll() is None

    def end(self):
        self.popen.kill()
        self.popen.wait()
        self.popen.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.close()

    def why_it_ended(self):
        status = self.popen.wait()
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        if status < 0:
            how = signal.Signals(-status).name
            fatal = [line for line in lines if line.startswith("F0000") or "Check failed" in line]
            last = f": {fatal[-1]}" if fatal else ""
            return f"TensorFlow's converter crashed ({how}{last})."
        last = lines[-1] if lines else "no message"
        return f"the process of TensorFlow's converter ended with status {status}: {last}"


def _absolute(paths):
    """The paths as they are from anywhere; without those in a working directory that is gone."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            yield os.path.abspath(path)


def _error_of(folder):
    """The message of the process about a folder, or None if it has done its work."""
    global _started
    while True:
        if _started is None or not _started.usable():
            _started = _Process()
        process = _started
        try:
            answer = process.answer(folder)
        except BaseException:  # interrupted: a late answer must not reach the next job
            process.end()
            raise
        if answer:
            return json.loads(answer)["error"]
        why = process.why_it_ended()
        if process.popen.returncode:  # else it has gone, having had nothing to do
            return why
