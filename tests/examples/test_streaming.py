"""The streaming example: digits that arrive row by row, and a stream that remembers and forgets."""

import re

import keras
import numpy as np
import pytest

import addrnn.lite
import keras_addrnn as ka
from tests.examples import support

pytestmark = [
    pytest.mark.fused,
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it runs on TensorFlow"),
]


def test_rows_that_arrive(capsys):
    pytest.importorskip("ai_edge_litert")
    names = support.run("streaming", EPOCHS=1, UNITS=9, DIGITS=5)
    shown = capsys.readouterr().out
    # A digit of 28 rows: what was drawn, a class, its probability.
    rows = re.findall(r"^  \|(.{56})\|  \d  (#* *) ( *\d+) %$", shown, re.MULTILINE)
    assert len(rows) == 28
    assert any("@" in drawn for drawn, *_ in rows)
    row = r"p50 ([\d.]+), p90 ([\d.]+), p99 ([\d.]+), longest ([\d.]+)"
    percentiles = [float(value) for value in re.search(row, shown).groups()]
    assert percentiles == sorted(percentiles) and percentiles[0] > 0
    assert names["difference"] < 1e-5
    for count in (7, 14, 21, 28):
        assert re.search(rf"after +{count} rows +\d+ % of the digits right", shown)


def test_a_stream_remembers_and_forgets():
    pytest.importorskip("ai_edge_litert")
    names = support.definitions("streaming")
    layer = ka.AddGRU(1, return_sequences=True, scale_inputs=False)
    adder = keras.Sequential([keras.Input((None, 1)), layer])
    # u = 0, c = x: the state is the sum of what has come.
    layer.set_weights([np.array([[0.0, 1.0]]), np.zeros((1, 2)), np.zeros(2)])
    content = ka.lite.convert(ka.lite.streaming_model(adder), ops="fused")
    interpreter = addrnn.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()

    def feed(x):
        return float(names["feed"](interpreter, np.array([x], "float32"))[0])

    names["restart"](interpreter)
    assert [feed(x) for x in (1, 2, 4)] == [1, 3, 7]
    names["restart"](interpreter)
    assert feed(8) == 8
