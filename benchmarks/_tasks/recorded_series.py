"""Sets of recorded series of different lengths, which sktime carries: vowels, appliances."""

import importlib.util

import numpy as np

PADDING = 0.0
NEEDS = (
    "JapaneseVowels and PLAID are read from sktime, which is not installed: "
    "pip install -r requirements/bench.txt"
)


def load(name, every=1):
    """Series and classes, to train on, then to test with.

    Each feature is standardized by the mean and deviation of the series to train on. Shorter
    series are padded at their end with `PADDING`, which is no whole step of any of them.

    Args:
        name: `"japanese_vowels"` or `"plaid"`.
        every: Only each so many-th step is kept.

    Returns:
        Twice a tuple of `float32 [count, steps, features]` and `int64 [count]`.

    Raises:
        ModuleNotFoundError: if sktime is not installed.
    """
    if importlib.util.find_spec("sktime") is None:
        raise ModuleNotFoundError(NEEDS)
    from sktime import datasets

    read = getattr(datasets, f"load_{name}")
    splits = [read(split=split, return_X_y=True) for split in ("train", "test")]
    series = [
        [_array(row)[::every] for row in frame.itertuples(index=False)] for frame, _ in splits
    ]
    train = np.concatenate(series[0])
    mean, deviation = train.mean(0), train.std(0)
    longest = max(len(each) for split in series for each in split)
    classes = np.unique(splits[0][1])
    return tuple(
        (
            padded([(each - mean) / deviation for each in split], longest),
            np.searchsorted(classes, labels),
        )
        for split, (_, labels) in zip(series, splits, strict=True)
    )


def _array(row):
    """A row of a frame, a series for each feature, as `[steps, features]`."""
    return np.stack([np.asarray(feature, "float64") for feature in row], -1)


def padded(series, length):
    """Arrays `[steps, features]` as one, `float32 [count, length, features]`."""
    found = np.full((len(series), length, series[0].shape[1]), PADDING, "float32")
    for row, each in zip(found, series, strict=True):
        row[: len(each)] = each
    return found
