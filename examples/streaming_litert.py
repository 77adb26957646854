"""A streaming model in LiteRT: fed a row at a time, it keeps its states from one to the next."""

import dataclasses
import time

import numpy as np

import addrnn.lite


class Stream:
    """A converted `ka.lite.streaming_model`, on one thread.

    Its inputs are a step and the states, its outputs the answer to the step and the next states,
    which are the inputs of the next call.
    """

    def __init__(self, content):
        self._interpreter = addrnn.lite.Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        self._step, *states = self._interpreter.get_input_details()
        self._answer, *next_states = self._interpreter.get_output_details()
        self._states = list(zip(states, next_states, strict=True))
        self.restart()

    def restart(self):
        """Forgets what has come so far."""
        for state, _ in self._states:
            self._interpreter.set_tensor(state["index"], np.zeros(state["shape"], state["dtype"]))

    def feed(self, step):
        """Takes the next step `[features]`; returns the answer `[classes]` and LiteRT's seconds."""
        interpreter = self._interpreter
        interpreter.set_tensor(self._step["index"], step[np.newaxis, np.newaxis])
        begin = time.perf_counter()
        interpreter.invoke()
        seconds = time.perf_counter() - begin
        for state, next_state in self._states:
            interpreter.set_tensor(state["index"], interpreter.get_tensor(next_state["index"]))
        return interpreter.get_tensor(self._answer["index"])[0, 0], seconds


@dataclasses.dataclass(frozen=True)
class Measured:
    """What one stream did: the answers `[sequences, steps, classes]`, the seconds of each step."""

    answers: np.ndarray
    seconds: np.ndarray

    def percentiles(self):
        """p50, p90, p99 and the longest of the steps, in microseconds."""
        return 1e6 * np.percentile(self.seconds, [50, 90, 99, 100])


def measure(streams, sequences):
    """Feeds the sequences `[N, steps, features]`, each to all of the streams in turn.

    Returns:
        Dict of a `Measured` for each of the dict `streams`.
    """
    answers = {name: [] for name in streams}
    seconds = {name: [] for name in streams}
    for sequence in sequences:
        for name, stream in streams.items():
            stream.restart()
            fed = [stream.feed(step) for step in sequence]
            answers[name].append([answer for answer, _ in fed])
            seconds[name] += [time for _, time in fed]
    return {name: Measured(np.array(answers[name]), np.array(seconds[name])) for name in streams}
