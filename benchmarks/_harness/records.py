"""Files of measurements, one JSON line per run, so that what is interrupted can be continued."""

import json
import os
import warnings


def key_of(settings):
    """What the runs of a file are found by, whatever the order of their settings."""
    return json.dumps(settings, sort_keys=True)


def lines(path):
    """The file's lines, read; none where there is no file.

    A line that a killed writer left unfinished is skipped, with a warning.
    """
    if not path.is_file():
        return []
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            warnings.warn(f"{path}, line {number} is not whole and is skipped", stacklevel=2)
    return found


def recorded(path):
    """The runs in the file, by their settings."""
    return {key_of(run["settings"]): run for run in lines(path)}


def result(known, settings):
    """The result recorded for these settings, or None."""
    run = known.get(key_of(settings))
    return None if run is None else run["result"]


def record(path, run):
    """Appends a line, on its own even where the last one is unfinished."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        begin = ""
        if file.tell():
            file.seek(-1, os.SEEK_END)
            begin = "" if file.read() == b"\n" else "\n"
        file.write((begin + json.dumps(run) + "\n").encode())
