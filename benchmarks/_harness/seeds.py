"""The seeds of planned runs in a table's cell, and how many of them were not run."""

from benchmarks._harness import records

NOT_RUN = "NOT RUN"


def by_seed(known, planned, *names):
    """`{values of the settings named: [result or None for each planned seed]}`."""
    rows = {}
    for settings in planned:
        key = tuple(settings.get(name) for name in names)
        rows.setdefault(key, {})[settings["seed"]] = records.result(known, settings)
    return {key: [results[seed] for seed in sorted(results)] for key, results in rows.items()}


def cell(results, text):
    """What `text` makes of each seed's result; how many of the seeds that are planned there are."""
    found = [text(result) for result in results if result is not None]
    return ", ".join(found) + absent(len(found), len(results)) if found else NOT_RUN


def absent(ran, planned):
    """How many seeds of a run are missing, to follow what is there."""
    missing = planned - ran
    return f" ({missing} of {planned} seeds {NOT_RUN})" if missing else ""
