"""The digits that the demonstration shows."""

import pytest
from encrypted_digits import pixels

pytestmark = pytest.mark.fhe


def test_digits_are_whole_numbers_of_ink():
    images, labels = pixels.load()
    assert images.shape == (360, 8, 8) and labels.shape == (360,) and images.dtype.kind == "i"
    assert images.min() == 0 and images.max() == pixels.INK
    assert set(labels) == set(range(10))


def test_a_step_reads_columns():
    ink = [[0, 4, 16, 2], [8, 0, 0, 12]]
    columns = [[0, 0.5], [0.25, 0], [1, 0], [0.125, 0.75]]
    real = pixels.normalized(ink, 2)
    assert real.dtype == "float32" and real.tolist() == columns
    assert pixels.normalized(ink, 4).tolist() == [columns[0] + columns[1], columns[2] + columns[3]]
    assert pixels.normalized([ink, ink], 2).tolist() == [columns, columns]
