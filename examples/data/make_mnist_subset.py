"""Makes mnist_subset.npz from the four IDX files of MNIST.

python examples/data/make_mnist_subset.py DIRECTORY
"""

import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from common import digits

TRAIN, TEST = 10_000, 2_000
SEED = 0


def choose(size, count):
    """`count` of `size` indices drawn without replacement with a fixed seed, in rising order."""
    if size <= count:
        return np.arange(size)
    generator = np.random.Generator(np.random.PCG64(SEED))
    return np.sort(generator.choice(size, count, replace=False))


def subset(all_digits):
    """The same digits each time, as the arrays of the file."""
    arrays = {}
    for part, count in (("train", TRAIN), ("test", TEST)):
        images, labels = getattr(all_digits, f"x_{part}"), getattr(all_digits, f"y_{part}")
        chosen = choose(len(labels), count)
        arrays |= {f"x_{part}": images[chosen], f"y_{part}": labels[chosen]}
    return arrays


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    arrays = subset(digits.load(sys.argv[1]))
    np.savez_compressed(digits.SUBSET_FILE, **arrays)
    print(f"{digits.SUBSET_FILE}: {digits.SUBSET_FILE.stat().st_size} bytes")
    for name in ("y_train", "y_test"):
        labels = arrays[name]
        print(f"{name}: {len(labels)} digits, of each class {np.bincount(labels).tolist()}")


if __name__ == "__main__":
    main()
