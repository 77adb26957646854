"""Writes IDX files, from the description of the format, for the tests of what reads them."""

import gzip
import struct


def encode(array, type_code=8):
    """`array` of `uint8` as the bytes of an IDX file."""
    header = struct.pack(f">HBB{array.ndim}I", 0, type_code, array.ndim, *array.shape)
    return header + array.tobytes()


def write_mnist(directory, x_train, y_train, x_test, y_test, zipped=True):
    """The four files of MNIST."""
    for name, array in (
        ("train-images-idx3-ubyte", x_train),
        ("train-labels-idx1-ubyte", y_train),
        ("t10k-images-idx3-ubyte", x_test),
        ("t10k-labels-idx1-ubyte", y_test),
    ):
        content = encode(array)
        if zipped:
            (directory / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (directory / name).write_bytes(content)
