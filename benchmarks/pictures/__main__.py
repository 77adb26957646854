"""The drawings and the charts of README and docs/, in docs/images.

Charts show what is recorded in benchmarks/results: nothing is measured here.
"""

import pathlib

import matplotlib

from benchmarks._harness import page, plots
from benchmarks.pictures import cells, charts, gate, style

IMAGES = pathlib.Path(__file__).parents[2] / "docs" / "images"
PICTURES = {
    "cells": cells.draw,
    "gate": gate.draw,
    "kernels": charts.kernels,
    "litert": charts.litert,
    "memory": charts.memory,
    "speed": charts.speed,
    "summary": charts.summary,
    "swap": charts.swap,
}


def draw(name, path):
    """Draws one picture. The same records and Matplotlib give the same file."""
    with matplotlib.style.context(["default", style.SETTINGS]):
        plots.save(PICTURES[name](), path)


def main(arguments=None):
    page.documented(__doc__).parse_args(arguments)
    for name in PICTURES:
        path = IMAGES / f"{name}.svg"
        draw(name, path)
        print(path.relative_to(IMAGES.parents[1]))


if __name__ == "__main__":
    main()
