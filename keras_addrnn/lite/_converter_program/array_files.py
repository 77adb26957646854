"""Lists of arrays in files, for both sides."""

import numpy as np


def read_arrays(path):
    """The arrays of a file of `write_arrays`."""
    with np.load(path) as file:
        return [file[str(place)] for place in range(len(file))]


def write_arrays(path, arrays):
    """Writes a list of arrays."""
    np.savez(path, **{str(place): array for place, array in enumerate(arrays)})
