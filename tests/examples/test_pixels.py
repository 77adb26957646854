"""Pixel by pixel: a stack of MinAddGRU learns where a GRU has not begun to."""

from tests.examples import support


def test_it_learns(capsys):
    names = support.run("pixels", EPOCHS=3, UNITS=32, DIGITS=2000)
    assert names["accuracies"]["MinAddGRU"] > 0.2
    assert "2,000 digits to train on, 2,000 to test; each (196, 1)" in capsys.readouterr().out
