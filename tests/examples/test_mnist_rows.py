"""MNIST by rows: both layers learn, and integers lose nothing."""

import pytest

from tests.examples import support


@pytest.mark.backend_neutral
def test_it_learns(capsys):
    names = support.run("mnist_rows", EPOCHS=1, UNITS=64)
    accuracies = names["accuracies"]
    assert accuracies["AddGRU"] > 0.7 and accuracies["GRU"] > 0.4
    assert abs(accuracies["integers"] - accuracies["AddGRU"]) < 0.02
    assert names["agreement"] > 0.97
    assert "10,000 digits to train on, 2,000 to test" in capsys.readouterr().out
