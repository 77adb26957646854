"""Ink on paper: the operations that make word images of digits and of letters.

Ink is `float32 [height, width]`, 0 where there is none and 1 where it is black.
"""

import numpy as np
from scipy import ndimage


def cropped(ink, threshold=0.1):
    """The part of the image that has ink; all of an image without any."""
    rows, columns = (np.flatnonzero((ink > threshold).any(axis)) for axis in (1, 0))
    if not len(rows):
        return ink
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def slanted(ink, slope):
    """Sheared to the right by `slope` pixels for each row upwards, the image as wide as needed."""
    height, width = ink.shape
    shift = abs(slope) * (height - 1)
    shape = (height, width + int(np.ceil(shift)))
    # Where a pixel of the result comes from: the rows stay, the columns move with the row.
    offset = -slope * (height - 1) if slope > 0 else 0.0
    return ndimage.affine_transform(
        ink, [[1, 0], [slope, 1]], offset=[0, offset], output_shape=shape, order=1
    )


def resized(ink, height, width):
    """Scaled to a size, by linear interpolation."""
    zoom = (height / ink.shape[0], width / ink.shape[1])
    return np.clip(ndimage.zoom(ink, zoom, order=1, grid_mode=True, mode="nearest"), 0, 1)


def distorted(ink, generator, *, strength, smoothness):
    """Elastic distortion: every pixel moves a little, and neighbors move alike.

    After P. Simard, D. Steinkraus and J. Platt, "Best Practices for Convolutional Neural Networks
    Applied to Visual Document Analysis", ICDAR 2003.

    Args:
        ink: The image.
        generator: `np.random.Generator`.
        strength: The largest displacement, in pixels.
        smoothness: Standard deviation, in pixels, of the Gaussian that makes neighbors alike.
    """
    moves = generator.uniform(-1, 1, (2, *ink.shape))
    moves = ndimage.gaussian_filter(moves, (0, smoothness, smoothness), mode="constant")
    moves *= strength / max(np.abs(moves).max(), 1e-6)
    return ndimage.map_coordinates(ink, np.indices(ink.shape) + moves, order=1)


def on_paper(ink, generator):
    """Dark ink on light paper, `uint8 [height, width, 1]`, with the grain of both and of a scan."""
    darkness = generator.uniform(0.6, 1.0)
    paper = generator.uniform(0.88, 1.0)
    grain = generator.normal(0, generator.uniform(0.0, 0.06), ink.shape)
    grey = 255 * np.clip(paper - darkness * ink + grain, 0, 1)
    return grey.round().astype(np.uint8)[:, :, np.newaxis]
