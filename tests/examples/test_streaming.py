"""The streaming example as a person runs it, on few digits; and what it says to wrong flags."""

import os
import re
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.examples.conftest import EXAMPLES


def run(*flags, **environment):
    return subprocess.run(
        [sys.executable, str(EXAMPLES / "streaming.py"), *map(str, flags)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow", **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.fused
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it runs on TensorFlow")
def test_rows_that_arrive(tmp_path):
    pytest.importorskip("ai_edge_litert")
    output = tmp_path / "made" / "here"
    result = run("--epochs", 1, "--units", 9, "--digits", 5, "--show", 2, "--output", output)
    assert result.returncode == 0, result.stderr
    shown = result.stdout
    files = sorted(file.name for file in output.iterdir())
    assert files == ["digits_builtin.tflite", "digits_fused.tflite"]
    # Two digits of 28 rows: what was drawn, a class, its probability.
    rows = re.findall(r"^  \|(.{56})\|  \d  (#* *) ( *\d+) %$", shown, re.MULTILINE)
    assert len(rows) == 2 * 28
    assert any("@" in drawn for drawn, *_ in rows)
    for form in ("builtin", "fused"):
        row = rf"\| {form} +\| +([\d.]+) \| +([\d.]+) \| +([\d.]+) \| +([\d.]+) \|"
        percentiles = [float(value) for value in re.search(row, shown).groups()]
        assert percentiles == sorted(percentiles) and percentiles[0] > 0
        check = re.search(rf"check +{form}: .* differ by (\S+) at most", shown)
        assert float(check[1]) < 1e-5
    assert re.search(r"\d+ % after 7, \d+ % after 14, \d+ % after 21, \d+ % after 28", shown)


@pytest.mark.fused
def test_answers_that_differ_are_an_error(capsys):
    import streaming
    import streaming_litert

    answers = np.full((1, 28, 10), 0.1)
    measured = {"fused": streaming_litert.Measured(answers, np.ones(28))}
    streaming.report(measured, answers, np.zeros(1))
    with pytest.raises(SystemExit, match="fused: .* differ by 0.01"):
        streaming.report(measured, answers + 0.01, np.zeros(1))
    with pytest.raises(SystemExit, match="differ by nan"):
        streaming.report(measured, answers * np.nan, np.zeros(1))


@pytest.mark.fused
def test_a_stream_remembers_and_forgets():
    import streaming_litert

    import keras_addrnn as ka

    layer = ka.AddGRU(1, return_sequences=True)
    adder = keras.Sequential([keras.Input((None, 1)), layer])
    # u = 0, c = x: the state is the sum of what has come.
    layer.set_weights([np.array([[0.0, 1.0]]), np.zeros((1, 2)), np.zeros(2)])
    content = ka.lite.convert(ka.lite.streaming_model(adder), ops="fused")
    stream = streaming_litert.Stream(content)
    fed = [float(stream.feed(np.array([x], "float32"))[0][0]) for x in (1, 2, 4)]
    assert fed == [1, 3, 7]
    stream.restart()
    assert float(stream.feed(np.array([8], "float32"))[0][0]) == 8


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--epochs", "0"], "--epochs: expected an integer of at least 1, got '0'"),
        (["--digits", "2001"], "--digits: expected an integer from 1 to 2000, got '2001'"),
        (["--show", "-1"], "--show: expected an integer of at least 0, got '-1'"),
        (["--unit", "3"], "unrecognized arguments: --unit 3"),
        (["--output", str(EXAMPLES / "streaming.py")], "--output: cannot use"),
    ],
)
def test_wrong_flags(flags, message):
    result = run(*flags)
    assert result.returncode == 2
    assert result.stdout == ""
    assert re.fullmatch(rf"streaming.py: error: .*{re.escape(message)}.*\n", result.stderr)


def test_other_backend():
    result = run(KERAS_BACKEND="jax")
    assert result.returncode == 2
    assert "KERAS_BACKEND=tensorflow, got 'jax'" in result.stderr
