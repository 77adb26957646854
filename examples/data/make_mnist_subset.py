"""Makes mnist_subset.npz from the four IDX files of MNIST.

python examples/data/make_mnist_subset.py DIRECTORY
"""

import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import mnist_data


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    digits = mnist_data.subset(mnist_data.from_idx(sys.argv[1]))
    np.savez_compressed(
        mnist_data.SUBSET_FILE,
        x_train=digits.x_train,
        y_train=digits.y_train,
        x_test=digits.x_test,
        y_test=digits.y_test,
    )
    print(f"{mnist_data.SUBSET_FILE}: {mnist_data.SUBSET_FILE.stat().st_size} bytes")
    for name, labels in (("train", digits.y_train), ("test", digits.y_test)):
        print(f"{name}: {len(labels)} digits, of each class {np.bincount(labels).tolist()}")


if __name__ == "__main__":
    main()
