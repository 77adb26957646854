"""Ink on paper: cropped, slanted, scaled and bent as asked."""

import numpy as np
import pytest

pytest.importorskip("scipy")
from handwriting.datasets import drawing  # noqa: E402


def test_cropped():
    ink = np.zeros((7, 9), np.float32)
    ink[2, 3] = ink[4, 5] = 1
    np.testing.assert_array_equal(drawing.cropped(ink), [[1, 0, 0], [0, 0, 0], [0, 0, 1]])
    blank = np.zeros((3, 2), np.float32)
    assert drawing.cropped(blank) is blank


@pytest.mark.parametrize("slope", [1.0, -1.0])
def test_slanted(slope):
    """A vertical stroke of 4 pixels becomes a diagonal, to the right at its top for a slope > 0."""
    diagonal = drawing.slanted(np.ones((4, 1), np.float32), slope)
    expected = np.eye(4)[::-1] if slope > 0 else np.eye(4)
    np.testing.assert_allclose(diagonal, expected, atol=1e-6)


def test_not_slanted():
    ink = np.random.default_rng(0).random((5, 3)).astype(np.float32)
    np.testing.assert_allclose(drawing.slanted(ink, 0.0), ink)


@pytest.mark.parametrize("size", [(1, 1), (2, 31), (17, 3), (40, 8)])
def test_resized(size):
    ink = np.zeros((8, 8), np.float32)
    ink[:4] = 1
    resized = drawing.resized(ink, *size)
    assert resized.shape == size and resized.min() >= 0 and resized.max() <= 1
    if size[0] > 2:
        assert resized[0].min() > 0.9 and resized[-1].max() < 0.1


@pytest.mark.parametrize("strength", [0.0, 2.0])
def test_distorted_moves_no_farther_than_asked(strength):
    """A ramp's values say from how far away they come."""
    ramp = np.tile(np.arange(40.0), (20, 1))
    bent = drawing.distorted(ramp, np.random.default_rng(0), strength=strength, smoothness=4)
    moved = np.abs(bent - ramp)[5:-5, 5:-5].max()
    assert moved <= strength + 1e-9
    assert moved > 0.3 * strength or strength == 0
