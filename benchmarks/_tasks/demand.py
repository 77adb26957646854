"""An hourly demand that is made: a day's rhythm, quieter weekends, weather that drifts."""

import numpy as np

DAYS = 3 * 365
PAST, FUTURE = 7 * 24, 24  # hours


def load():
    """Weeks and the day after each, to train on, then to test with, and the unit of both.

    Returns:
        Twice a tuple of `float32 [count, 168, 1]` and `float32 [count, 24]`, scaled by what is
        there to train on; and the demand's standard deviation, which they are divided by.
    """
    generator = np.random.default_rng(0)
    hours = np.arange(24 * DAYS)
    weather = np.zeros(len(hours))
    for hour in hours[1:]:
        weather[hour] = 0.98 * weather[hour - 1] + generator.normal(0, 0.2)
    day = np.sin(2 * np.pi * hours / 24) + 0.5 * np.sin(4 * np.pi * hours / 24 + 1)
    weekend = np.where(hours // 24 % 7 >= 5, 0.6, 1.0)
    demand = 10 + 3 * weekend * day + weather + generator.normal(0, 0.1, len(hours))
    end = int(0.8 * len(demand))
    mean, deviation = demand[:end].mean(), demand[:end].std()
    series = ((demand - mean) / deviation).astype("float32")
    return windows(series[:end], stride=1), windows(series[end:], stride=7), deviation


def windows(values, stride):
    """Pairs of a week `[count, 168, 1]` and the day after it `[count, 24]`."""
    both = np.lib.stride_tricks.sliding_window_view(values, PAST + FUTURE)[::stride]
    return both[:, :PAST, np.newaxis], both[:, PAST:]
