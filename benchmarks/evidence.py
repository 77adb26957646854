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

HERE = pathlib.Path(__file__).parent
RECORDS = HERE / "results" / "evidence.jsonl"
UNFINISHED = HERE.parent / "build" / "evidence"


def known(file):
    """The recorded runs by their settings, with those of defaults.py that the plan asks for."""
    from defaults import RESULTS

    found = {}
    for run in records.recorded(RESULTS).values():
        settings, result = run["settings"], run["result"]
        if settings["task"] == "adding" and settings["variant"] == "GRU":
            batches = settings["steps"]
            settings = plan.adding_run("GRU", settings["T"], settings["seed"], batches)
            errors = list(result["validation"].values())
            result = {"solved_after": result["solved_at"], "errors": errors}
            found[records.key_of(settings)] = {"settings": settings, "result": result}
    return found | records.recorded(file)


def missing(settings, known):
    """Whether a run is not recorded, or not all of it."""
    if settings["task"] == "mnist":
        settings = {**settings, "epoch": settings["epochs"]}
    return records.key_of(settings) not in known


def run(options):
    """Runs what is missing."""
    import evidence_runs

    def keep(settings, result):
        line = {"settings": settings, "result": result, "machine": machine.description()}
        records.record(options.file, line)
        print(f"{time.monotonic() - begin:7.0f} s", *settings.values(), flush=True)

    begin = time.monotonic()
    for task in options.only:
        for settings in plan.TASKS[task]():
            if options.seeds and settings["seed"] not in options.seeds:
                continue
            if not re.search(options.match, " ".join(map(str, settings.values()))):
                continue
            # Read anew: another process may be running the rest.
            if missing(settings, known(options.file)):
                evidence_runs.TASKS[task](settings, options, keep)


def main():
    summary, _, story = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=summary, epilog=story, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--run", action="store_true", help="train what is missing")
    add("--only", nargs="+", choices=plan.TASKS, default=list(plan.TASKS), help="these tasks (all)")
    add("--seeds", nargs="+", type=int, choices=plan.SEEDS, help="only these")
    add(
        "--match",
        type=re.compile,
        default="",
        metavar="REGEX",
        help="only runs that have it in their settings' values, as --run prints them",
    )
    add("--data-dir", type=pathlib.Path, help="of IDX files of MNIST")
    add("--file", type=pathlib.Path, default=RECORDS, help="the records")
    add("--unfinished", type=pathlib.Path, default=UNFINISHED, help="for interrupted runs")
    options = parser.parse_args()
    if options.run:
        machine.use_threads(1)
        run(options)
    import evidence_plots
    import evidence_report

    found = known(options.file)
    evidence_report.write(found)
    evidence_plots.write(found, RECORDS.parent)


if __name__ == "__main__":
    main()
