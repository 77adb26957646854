"""The digits that the demonstration shows."""

import pytest
from encrypted_digits import pixels

pytestmark = pytest.mark.fhe


def test_digits_are_whole_numbers_of_ink():
    images, labels = pixels.load()
    assert images.shape == (360, 8, 8) and labels.shape == (360,) and images.dtype.kind == "i"
    assert images.min() == 0 and images.max() == pixels.INK
    assert set(labels) == set(range(10))


def test_a_column_is_a_step():
    real = pixels.normalized([[0, 4, 16], [8, 0, 0]])
    assert real.dtype == "float32" and real.tolist() == [[0, 0.5], [0.25, 0], [1, 0]]
