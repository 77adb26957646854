"""Frameworks measured in turn, each in a process of its own.

Their pools of threads keep spinning for a while when they have nothing to do, each tuned for a
process that it has for itself.
"""

import contextlib
import multiprocessing
import os
import time

from keras_addrnn_cli import bench


class Worker:
    """A process in which the functions of some layers live.

    Args:
        start: Function of the number of threads, called in the process before anything else,
            or None where each call is told the number.
        threads: Number of threads, and of processors that the process may run on.
    """

    def __init__(self, start, threads):
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, start, threads), daemon=True)
        self._process.start()
        there.close()

    def times(self, make, shape, column, seconds):
        """Times of the function that `make(shape)[column]` is; none if there is none.

        Raises:
            ImportError: What the layer needs is not installed.
            RuntimeError: The layer failed; says with which error.
        """
        self._here.send((make, shape, column, seconds))
        answer = self._here.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def rest():
    """Waits until the threads of all processes sleep."""
    time.sleep(0.25)  # longer than the pools spin (OpenMP's: 0.2 s)


def _serve(pipe, start, threads):
    # The same processors for all: a process that moves among them can take half as long again.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    if start:
        start(threads)
    made = {}
    while True:
        try:
            make, shape, column, seconds = pipe.recv()
        except EOFError:
            return
        try:
            key = (str(make), shape)
            if key not in made:
                made = {k: v for k, v in made.items() if k[1] == shape} | {key: make(shape)}
            function = made[key][column]
            pipe.send([] if function is None else bench.burst(function, seconds))
        except ImportError as error:
            pipe.send(ImportError(str(error)))
        except Exception as error:  # of a framework's own type, which may not be sent
            pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))


def start_torch(threads):
    with contextlib.suppress(ImportError):  # which is told where a layer is to be measured
        import torch

        torch.set_num_threads(threads)


def start_jax(threads):
    """Keras on JAX, which takes all processors that it may run on."""
    os.environ["KERAS_BACKEND"] = "jax"
