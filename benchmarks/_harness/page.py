"""Pages of times: printed as they grow, filed under the machine's processor if asked to."""

import argparse
import itertools
import os
import pathlib

from addrnn._atomic_file import replacing
from benchmarks._harness import machine


def documented(doc):
    """A parser whose help is a module's docstring."""
    summary, _, story = doc.partition("\n\n")
    layout = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(description=summary, epilog=story, formatter_class=layout)


def parser(doc, *, seconds=None, threads=False, mnist=False):
    """The options that measurements share.

    Args:
        doc: The module's docstring.
        seconds: How long to measure each part, unless told otherwise; None for no such option.
        threads: Whether the number of threads is an option.
        mnist: Whether it can measure with all of MNIST.
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
    if mnist:
        about = "of the IDX files of MNIST; 10,000 digits without it"
        made.add_argument("--data-dir", type=pathlib.Path, help=about)
    return made


def write(path, text):
    """Writes a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(text)


def publish(name, options, about, *parts):
    """Prints a page line by line, as it is measured; with `--save` it is filed at its end.

    Args:
        name: Of the file.
        options: Of the command.
        about: The paragraph above the measurements.
        parts: Lines each, for instance of `markdown.lines`.
    """
    lines = []
    for line in itertools.chain((about, ""), *parts):
        lines.append(line)
        print(line, flush=True)
    if options.save:
        write(machine.folder() / f"{name}.md", "\n".join(lines) + "\n")
