"""Files of measurements, one JSON line per run, so that what is interrupted can be continued."""

import json


def key_of(settings):
    """What the runs of a file are found by, whatever the order of their settings."""
    return json.dumps(settings, sort_keys=True)


def lines(path):
    """The file's lines, read; none where there is no file."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def recorded(path):
    """The runs in the file, by their settings."""
    return {key_of(run["settings"]): run for run in lines(path)}


def record(path, run):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(run) + "\n")
