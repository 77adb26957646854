"""Files of measurements, one JSON line per run, so that what is interrupted can be continued."""

import json


def recorded(path):
    """The runs in the file, by their settings."""
    if not path.is_file():
        return {}
    runs = [json.loads(line) for line in path.read_text().splitlines()]
    return {json.dumps(run["settings"], sort_keys=True): run for run in runs}


def record(path, run):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(run) + "\n")
