"""JapaneseVowels: which of nine men says "ae"; 7 to 29 steps of 12 numbers.

sktime carries the set. `.venv-fhe` has no sktime, so the integers to test with are in a file.
"""

import numpy as np

from addrnn.quantization import Quantization
from benchmarks._harness import machine

LEVELS = 5
CLIPPED = 1.5  # deviations from the mean
INPUTS = Quantization(3, 2 * CLIPPED / (LEVELS - 1))
INPUT_RANGE = -2, 2
PADDING = 100  # in place of the features of a step that a sequence does not have
TEST_FILE = machine.RESULTS / "encrypted_accuracy" / "vowels_test.npz"


def load(count=None, data_dir=None):
    """Integers `[N, 29, 12]` to train on and their labels, then to test with."""
    from benchmarks._tasks import recorded_series

    (train, labels), (test, test_labels) = recorded_series.load("japanese_vowels")
    if not TEST_FILE.is_file():
        np.savez_compressed(TEST_FILE, inputs=_integers(test), labels=test_labels.astype(np.int8))
    return _integers(train), labels, _integers(test), test_labels


def load_test(count=None, data_dir=None):
    with np.load(TEST_FILE) as arrays:
        return arrays["inputs"], arrays["labels"]


def _integers(series):
    integers = INPUTS.quantize(np.clip(series, -CLIPPED, CLIPPED))
    return np.where((series == 0).all(2, keepdims=True), np.int8(PADDING), integers)
