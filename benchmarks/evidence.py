"""The recorded runs behind docs/evidence.md: tables and plots from them, and what is missing, run.

Without `--run` it makes the tables and the plots of docs/evidence.md from what is recorded; nothing
is trained. With `--run` it trains first what is not recorded, in the order of evidence_plan.py, and
appends each result to the records at once. What was interrupted goes on.

    python benchmarks/evidence.py
    python benchmarks/evidence.py --run --data-dir DIR            # IDX files of MNIST; many hours
    python benchmarks/evidence.py --run --only adding --seeds 0   # some of them
    python benchmarks/evidence.py --run --only mnist --match 'rows .* GRU' --data-dir DIR
"""

import argparse
import os
import pathlib
import re
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import evidence_plan as plan
import machine
import records

RECORDS = pathlib.Path(__file__).parent / "results" / "evidence.jsonl"


def asked_for(options):
    """The settings of the runs that the options name."""
    for task in options.only:
        for settings in plan.TASKS[task]():
            named = re.search(options.match, " ".join(map(str, settings.values())))
            if named and settings["seed"] in options.seeds:
                yield settings


def missing(settings):
    """Whether a run is not recorded, or not all of it."""
    known = records.recorded(RECORDS)
    lines = [settings]
    if settings["task"] == "mnist":
        lines = [{**settings, "epoch": 1 + epoch} for epoch in range(settings["epochs"])]
    return any(records.key_of(line) not in known for line in lines)


def run(options):
    """Runs what is missing."""
    import evidence_runs

    def keep(settings, result):
        line = {"settings": settings, "result": result, "machine": machine.description()}
        records.record(RECORDS, line)
        print(f"{time.monotonic() - begin:7.0f} s", *settings.values(), flush=True)

    begin = time.monotonic()
    for settings in asked_for(options):
        # Looked up anew: another process may be running the rest.
        if missing(settings):
            evidence_runs.TASKS[settings["task"]](settings, options, keep)


def write():
    """The tables and the plots of what is recorded."""
    import evidence_plots
    import evidence_report

    found = records.recorded(RECORDS)
    evidence_report.write(found)
    evidence_plots.write(found, RECORDS.parent)


def regular_expression(text):
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{text}' is no regular expression: {error}") from None


def main():
    summary, _, story = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=summary, epilog=story, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--run", action="store_true", help="train what is missing")
    add("--only", nargs="+", choices=plan.TASKS, default=list(plan.TASKS), help="these tasks (all)")
    add("--seeds", nargs="+", type=int, choices=plan.SEEDS, default=plan.SEEDS, help="only these")
    add(
        "--match",
        type=regular_expression,
        default="",
        metavar="REGEX",
        help="only runs that have it in their settings' values, as --run prints them",
    )
    add("--data-dir", type=pathlib.Path, help="of IDX files of MNIST")
    options = parser.parse_args()
    if options.run and options.data_dir is None:
        for settings in asked_for(options):
            if settings.get("digits") == plan.ALL_DIGITS and missing(settings):
                parser.error("runs with all digits need --data-dir, the IDX files of MNIST")
    try:
        if options.run:
            machine.use_threads(1)
            run(options)
    finally:
        write()


if __name__ == "__main__":
    main()
