"""Experiments that take long: planned, recorded run by run, resumed, reported, plotted."""

import argparse
import dataclasses
import importlib.util
import pathlib
import re
import time
from collections.abc import Callable

from benchmarks._harness import machine, page, records


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A benchmark whose runs are named by their settings, a dict that JSON can hold.

    Attributes:
        doc: The module's docstring.
        name: Of the records, `results/NAME.jsonl`.
        plan: Function that gives the settings of all runs, in the order of what they tell.
        run: Function of the settings, the options, and `keep`; it calls `keep` with the settings
            and the result of each line to record, as soon as there is one.
        tables: Function from the records to the dict from a file's name to its Markdown.
        plots: Function from the records that gives the names of files and figures, or None.
        lines: Function from a run's settings to those of all its lines.
        timed: Whether the machine decides what comes out. Then each processor has its own records
            and files, in `results/PROCESSOR`, and the tables of several stand side by side.
        conditions: Function that gives what else a line tells.
    """

    doc: str
    name: str
    plan: Callable
    run: Callable
    tables: Callable
    plots: Callable | None = None
    lines: Callable = lambda settings: [settings]
    timed: bool = False
    conditions: Callable = lambda: {"machine": machine.description()}

    def folders(self):
        """Where records lie, of this machine first where machines have their own."""
        if not self.timed:
            return [machine.RESULTS]
        others = sorted(path.parent for path in machine.RESULTS.glob(f"*/{self.name}.jsonl"))
        return list(dict.fromkeys([machine.folder(), *others]))

    def records(self):
        return self.folders()[0] / f"{self.name}.jsonl"

    def missing(self, settings):
        """Whether a run is not recorded, or not all of it."""
        known = records.recorded(self.records())
        return any(records.key_of(line) not in known for line in self.lines(settings))

    def run_missing(self, options):
        """Runs what is missing of what the options choose."""
        begin = time.monotonic()

        def keep(settings, result):
            line = {"settings": settings, "result": result, **self.conditions()}
            records.record(self.records(), line)
            print(f"{time.monotonic() - begin:7.0f} s", *settings.values(), flush=True)

        for settings in self.chosen(options.match):
            # Looked up anew: another process may be running the rest.
            if self.missing(settings):
                self.run(settings, options, keep)

    def chosen(self, patterns):
        """The settings of the runs that every pattern is found in."""
        for settings in self.plan():
            items = [f"{name}={value}" for name, value in settings.items()]
            if all(any(pattern.search(item) for item in items) for pattern in patterns):
                yield settings

    def report(self):
        """Makes the tables and the plots of what is recorded, on any machine."""
        for folder in self.folders():
            known = records.recorded(folder / f"{self.name}.jsonl")
            if self.timed and not known:
                continue
            for name, text in self.tables(known).items():
                page.write(folder / f"{name}.md", text)
            if self.plots and importlib.util.find_spec("matplotlib"):
                from benchmarks._harness import plots

                for name, figure in self.plots(known):
                    plots.save(figure, folder / f"{name}.png")

    def main(self, arguments=None):
        parser = page.documented(self.doc)
        add = parser.add_argument
        add("--run", action="store_true", help="run what is planned and not recorded")
        add("--list", action="store_true", help="print what is planned, and change nothing")
        add(
            "--match",
            nargs="+",
            type=_regular_expression,
            default=[],
            metavar="REGEX",
            help="only runs with each of these in a setting, written NAME=VALUE",
        )
        add("--data-dir", type=pathlib.Path, help="of the IDX files of MNIST")
        options = parser.parse_args(arguments)
        if options.list:
            for settings in self.chosen(options.match):
                print("missing " if self.missing(settings) else "recorded", settings)
            return
        if options.run and options.data_dir is None:
            if any(
                _needs_mnist(each) and self.missing(each) for each in self.chosen(options.match)
            ):
                parser.error("these runs need --data-dir, the IDX files of MNIST")
        try:
            if options.run:
                self.run_missing(options)
        finally:
            self.report()


def _needs_mnist(settings):
    """Whether 10,000 digits, which this repository has, are not enough for a run."""
    mnist = settings.get("data") == "digits" or settings.get("task") == "MNIST"
    return mnist or settings.get("digits", 0) > 10_000


def _regular_expression(text):
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{text}' is no regular expression: {error}") from None
