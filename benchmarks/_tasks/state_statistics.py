"""What the states of a layer have in common, and how long they remember."""

import numpy as np


def statistics(outputs, steps):
    """Two of outputs `[B, T, H]`.

    Args:
        outputs: NumPy array.
        steps: Positive integer, how much later a state is compared with itself.

    Returns:
        The correlation of each unit with itself so many steps later, about its mean; and the common
        part, the square of each unit's mean as part of its mean square.
    """
    means = outputs.mean((0, 1))
    moved = outputs - means
    later = np.mean(moved[:, :-steps] * moved[:, steps:])
    return float(later / np.mean(moved**2)), float(np.mean(means**2) / np.mean(outputs**2))
