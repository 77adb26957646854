"""The drawings and the charts of README and docs/, in docs/images.

`NAME_narrow.svg` is the same picture as `NAME.svg`: the site shows it on a phone.
Charts show what is recorded in benchmarks/results: nothing is measured here.
"""

import itertools
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


def draw(name, path, narrow=False):
    """Draws one picture. The same records and Matplotlib give the same file."""
    with matplotlib.style.context(["default", style.SETTINGS]):
        plots.save(PICTURES[name](narrow), path)


def committed(name, narrow=False):
    """Where a picture is in the repository."""
    return IMAGES / f"{name}{'_narrow' * narrow}.svg"


def main(arguments=None):
    page.documented(__doc__).parse_args(arguments)
    for name, narrow in itertools.product(PICTURES, (False, True)):
        path = committed(name, narrow)
        draw(name, path, narrow)
        print(path.relative_to(IMAGES.parents[1]))


if __name__ == "__main__":
    main()
