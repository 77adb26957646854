"""Pages of times: printed as they grow, filed under the machine's processor if asked to."""

import argparse
import os

from addrnn._atomic_file import replacing
from benchmarks._harness import machine, markdown


def documented(doc):
    """A parser whose help is a module's docstring."""
    summary, _, story = doc.partition("\n\n")
    layout = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(description=summary, epilog=story, formatter_class=layout)


def parser(doc, *, seconds=None, threads=False):
    """The options that measurements share.

    Args:
        doc: The module's docstring.
        seconds: How long to measure each part, unless told otherwise; None for no such option.
        threads: Whether the number of threads is an option.
    """
    made = documented(doc)
    made.add_argument(
        "--save", action="store_true", help=f"file the page in results/{machine.folder().name}"
    )
    if seconds is not None:
        made.add_argument(
            "--seconds", type=float, default=seconds, help=f"for each part, at least ({seconds})"
        )
    if threads:
        available = len(os.sched_getaffinity(0))
        made.add_argument("--threads", type=int, default=available, help=f"all {available}")
    return made


def write(path, text):
    """Writes a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(text)


class Page:
    """A context that is a page of Markdown; at its end, with `--save`, it is filed."""

    def __init__(self, name, options):
        self._path = machine.folder() / f"{name}.md"
        self._save = options.save
        self._lines = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *error):
        if self._save and kind is None:
            write(self._path, "\n".join(self._lines) + "\n")

    def put(self, *lines):
        self._lines += lines
        print("\n".join(lines), flush=True)

    def table(self, columns, rows, text=1):
        """`rows` may take its time: each is printed when it is there."""
        self.put(*markdown.head(columns, text))
        for cells in rows:
            self.put(markdown.row(cells))
