"""Tables of the recorded runs."""

import math
import statistics

from benchmarks._harness import markdown, records
from benchmarks._harness.seeds import NOT_RUN, absent
from benchmarks._tasks import adding
from benchmarks.swap import plan
from benchmarks.swap.tasks import TASKS

DIVERGED = "diverged"
OTHERS = [layer for layer in plan.LAYERS if layer != plan.REFERENCE]


def tables(known):
    parts = (errors, ratios, losses, solved, windows)
    return {"swap": "\n".join(part(known) for part in parts)}


def errors(known):
    """A row for each task: the reference's error, the others' as so many times that."""
    rows = []
    for task in TASKS:
        cells = [_errors_cell(known, task, plan.REFERENCE)]
        cells += [f"{_ratio_cell(known, task, layer)}" for layer in OTHERS]
        rows.append((task, _half(task), *cells))
    columns = ["task", "half", f"{plan.REFERENCE}'s error: mean (each seed)"]
    columns += [f"{layer} / {plan.REFERENCE}" for layer in OTHERS]
    return (
        "The last error of each task; lower is better. Ratios are of the means of the seeds.\n\n"
        + markdown.table(columns, rows)
    )


def ratios(known):
    """Median and worst of the ratios."""
    rows = []
    for title, names in (("all", tuple(TASKS)), ("held out", plan.HELD_OUT)):
        for layer in OTHERS:
            found = [ratio(known, task, layer) for task in names]
            found = [each for each in found if each is not None]
            cells = [_times(f(found)) if found else NOT_RUN for f in (statistics.median, max)]
            rows.append(
                (title, f"{layer} / {plan.REFERENCE}", f"{len(found)} of {len(names)}", *cells)
            )
    return markdown.table(("tasks", "ratio", "tasks with runs", "median", "worst"), rows)


def losses(known):
    """The largest loss of a batch, as so many times the run's first."""
    rows = [
        (task, *(_worst_cell(results(known, task, layer)) for layer in plan.LAYERS))
        for task in TASKS
    ]
    about = (
        "The largest loss of any batch, divided by the run's first; the largest of the seeds.\n\n"
    )
    return about + markdown.table(("task", *plan.LAYERS), rows)


def solved(known):
    """When the adding problems were solved."""
    rows = [
        (task, *(_solved_cell(known, task, layer) for layer in plan.LAYERS))
        for task in TASKS
        if task.startswith("adding")
    ]
    about = (
        f"The batches after which the mean squared error was first below {adding.SOLVED}, "
        f"looked at every {adding.ERROR_EVERY}, for each seed.\n\n"
    )
    return about + markdown.table(("task", *plan.LAYERS), rows)


def windows(known):
    """The errors of two layers of MinAddGRU by `kernel_size`."""
    layers = {layer.split("=")[1]: layer for layer in plan.WINDOWS}
    layers = dict(sorted((layers | {"3, the default": plan.WINDOWED}).items()))
    rows = [
        (task, *(_errors_cell(known, task, layer) for layer in layers.values()))
        for task in plan.OF_WINDOWS
    ]
    about = f"The last error of {plan.WINDOWED}, for each `kernel_size`.\n\n"
    return about + markdown.table(("task", *layers), rows, text=1)


def results(known, task, layer):
    """Those of the seeds that were run, by seed."""
    found = {seed: records.result(known, plan.settings(task, layer, seed)) for seed in plan.SEEDS}
    return {seed: result for seed, result in found.items() if result is not None}


def ratio(known, task, layer):
    """Of the mean errors of the seeds that both have; infinite after a loss without number.

    None where there is no such seed.
    """
    ours, theirs = results(known, task, layer), results(known, task, plan.REFERENCE)
    both = [seed for seed in ours if seed in theirs]
    if not both:
        return None
    mean, reference = (_mean(found[seed]["error"] for seed in both) for found in (ours, theirs))
    if reference == 0:
        return 1.0 if mean == 0 else math.inf
    return mean / reference if math.isfinite(reference) else math.nan


def _mean(numbers):
    return statistics.mean(math.inf if number is None else number for number in numbers)


def _half(task):
    return "chosen on" if task in plan.SEARCH else "held out"


def _errors_cell(known, task, layer):
    found = results(known, task, layer)
    if not found:
        return NOT_RUN
    each = [result["error"] for result in found.values()]
    numbers = ", ".join(DIVERGED if error is None else f"{error:.4g}" for error in each)
    return f"{_number(_mean(each))} ({numbers}){_absent(found)}"


def _ratio_cell(known, task, layer):
    found = ratio(known, task, layer)
    if found is None:
        return NOT_RUN
    return _times(found) + _absent(results(known, task, layer))


def _worst_cell(found):
    if not found:
        return NOT_RUN
    worst = [
        math.inf
        if None in (result["worst_loss"], result["first_loss"])
        else result["worst_loss"] / result["first_loss"]
        for result in found.values()
    ]
    return _number(max(worst)) + _absent(found)


def _solved_cell(known, task, layer):
    found = results(known, task, layer)
    if not found:
        return NOT_RUN
    return ", ".join(str(each["solved_at"] or "never") for each in found.values()) + _absent(found)


def _absent(found):
    return absent(len(found), len(plan.SEEDS))


def _number(value):
    return f"{value:.4g}" if math.isfinite(value) else DIVERGED


def _times(value):
    return f"{value:.2f}" if math.isfinite(value) else DIVERGED
