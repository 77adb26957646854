"""What the examples' command lines share."""

import contextlib
import os
import signal
import subprocess
import sys

import keras
import pytest

from tests.examples.conftest import EXAMPLES


def test_interrupted(capsys):
    import command_line

    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        command_line.run(main)
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "\ninterrupted\n"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it runs on TensorFlow")
def test_an_example_shows_its_own_words_alone_and_can_be_interrupted(tmp_path):
    without = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    process = subprocess.Popen(
        [sys.executable, "-u", str(EXAMPLES / "streaming.py"), "--output", str(tmp_path)],
        env={**without, "KERAS_BACKEND": "tensorflow"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline().startswith("Handwritten digits that arrive row by row")
    for _ in range(3):  # code of others, as TensorFlow's while it traces, may swallow one
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
            break
    _, errors = process.communicate(timeout=60)
    # LiteRT's line comes where it has got so far, and nothing turns it off.
    litert = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
    assert errors.removeprefix(litert) == "\ninterrupted\n"
    assert process.returncode == 130


def test_epochs():
    import command_line

    assert [command_line.epochs(count) for count in (1, 2)] == ["1 epoch", "2 epochs"]
