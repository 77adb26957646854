"""Figures, drawn without a display."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from addrnn._atomic_file import replacing


def figure(rows=1, columns=1, size=(6, 4), saved_dpi=110, **options):
    """A figure and its axes, `[rows][columns]`; `size` is of one of them."""
    width, height = size
    size = width * columns, height * rows
    made, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, **options)
    made.saved_dpi = saved_dpi
    return made, axes


def save(made, path):
    """Writes a figure of `figure` as PNG or SVG, whole or not at all."""
    dated = {"metadata": {"Date": None}} if path.suffix == ".svg" else {}
    with replacing(path) as temporary:
        made.savefig(temporary, dpi=made.saved_dpi, **dated)
    plt.close(made)
