"""The digits: 8 rows of 8 pixels, as in UCI's set, which scikit-learn brings along."""

import functools

import numpy as np

SIZE = 8
TEST_DIGITS = 360
INK = 16  # a pixel counts the dots of ink among its 4 by 4 dots


def normalized(pixels, features):
    """Pixels of 0 to `INK` as a network reads them: column by column, `features` numbers a step.

    Args:
        pixels: `[..., rows, columns]`.
        features: How many pixels, of one column or several, a step reads.

    Returns:
        `float32 [..., steps, features]`, from 0 to 1.
    """
    columns = np.swapaxes(np.asarray(pixels, np.float32) / INK, -1, -2)
    return columns.reshape(*columns.shape[:-2], -1, features)


@functools.cache
def load():
    """Pixels `[360, 8, 8]` of 0 to `INK`, and labels `[360]`: the digits held out for testing."""
    _, pixels, _, labels = split()
    return pixels, labels


def split():
    """All digits: pixels to train on and to test with, and labels to train on and to test with."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    return train_test_split(
        digits.images.astype(int),
        digits.target,
        test_size=TEST_DIGITS,
        random_state=0,
        stratify=digits.target,
    )
