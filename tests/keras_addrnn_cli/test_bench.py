"""`keras-addrnn bench`: that it measures what it says, not how fast anything is."""

import keras
import pytest

from keras_addrnn_cli import bench, main


def test_in_turn_gives_each_function_its_rounds():
    calls = []
    medians = bench.in_turn(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, seconds=0
    )
    assert set(medians) == {"a", "b"} and min(medians.values()) > 0
    changes = sum(one != other for one, other in zip(calls, calls[1:], strict=False))
    assert changes == 2 * 3 - 1  # three rounds of two bursts


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="measures TensorFlow")
def test_measures_every_layer(capsys):
    shape = ["--batch", "2", "--steps", "3", "--features", "4", "--units", "5", "--seconds", "1"]
    assert main.main(["bench", *shape]) == 0
    printed = capsys.readouterr().out
    assert "(2, 3, 4, 5)" in printed
    for name in ("AddGRU", "GRU", "LSTM"):
        assert f"\n{name} " in printed


@pytest.mark.backend_neutral
def test_other_backends_are_refused(monkeypatch, capsys):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(SystemExit):
        main.main(["bench"])
    assert "KERAS_BACKEND" in capsys.readouterr().err


def test_sizes_are_positive(capsys):
    with pytest.raises(SystemExit):
        main.main(["bench", "--units", "0"])
    assert "must be a positive integer, received 0" in capsys.readouterr().err


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="measures TensorFlow")
def test_too_large_for_memory(monkeypatch, capsys):
    import tensorflow as tf

    def exhausted(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr("keras.layers.GRU.build", exhausted)
    with pytest.raises(SystemExit):
        main.main(["bench", "--units", "7"])
    assert "do not fit into memory. Received: batch=64" in capsys.readouterr().err
