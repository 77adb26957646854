"""Forecasting: the error is below that of naive forecasts."""

import numpy as np
import pytest

from tests.examples import support


@pytest.mark.backend_neutral
def test_it_beats_the_naive_forecasts():
    names = support.run("forecasting", DAYS=400, EPOCHS=3)
    error, yesterday, last_week = names["errors"].values()
    assert error < 0.95 * yesterday < last_week


def test_windows_are_a_week_and_the_day_after():
    windows = support.definitions("forecasting")["windows"]
    past, future = windows(np.arange(500), stride=7)
    assert past.shape == (45, 168, 1) and future.shape == (45, 24)
    np.testing.assert_array_equal(past[2, :, 0], np.arange(14, 182))
    np.testing.assert_array_equal(future[2], np.arange(182, 206))
