"""The tables of docs/results, from the records."""

import statistics

from benchmarks._harness import markdown, records
from benchmarks._harness.seeds import NOT_RUN, by_seed, cell
from benchmarks._tasks import adding as adding_task
from benchmarks._tasks import digits
from benchmarks.paper_experiments import plan, runs
from benchmarks.paper_experiments.variants import VARIANTS

LAST = 10  # epochs whose mean tells more than the last one, which goes up and down


def exact(known):
    rows = by_seed(known, plan.exact(), "problem", "T")
    table = []
    for problem in adding_task.BY_HAND:
        results = [rows[problem, length][0] for length in plan.EXACT_LENGTHS]
        for name in dict.fromkeys(name for result in results for name in result or ()):
            errors = (NOT_RUN if result is None else f"{result[name]:.2g}" for result in results)
            table.append([problem, name, *errors])
    head = ["marked values", "adder", *(f"T = {length:,}" for length in plan.EXACT_LENGTHS)]
    return markdown.table(head, table)


def solved(result):
    return adding_task.solved_cell(result["errors"])


def adding(known):
    rows = by_seed(known, plan.adding(), "T", "layer")
    table = [
        [str(length), *(cell(rows[length, layer], solved) for layer in adding_task.LAYERS)]
        for length in plan.ADDING_LENGTHS
    ]
    return markdown.table(["T", *adding_task.LAYERS], table)


def epochs(known, settings):
    """The results after each epoch of a run on MNIST, as far as it went."""
    found = []
    for epoch in range(1, settings["epochs"] + 1):
        result = records.result(known, {**settings, "epoch": epoch})
        if result is None:
            break
        found.append(result)
    return found


def _place(settings):
    """Where a run on MNIST stands in the table; those of one row are next to each other."""
    order = list(digits.ORDERS).index(settings["order"])
    layer = list(digits.LAYERS).index(settings["layer"])
    return order, settings.get("rate", ""), layer, settings["seed"]


def _last(run, count):
    text = f"{100 * run[-1]['val_accuracy']:.2f} %"
    return text if len(run) == count else f"{text} after {len(run)} (interrupted)"


def _mean(run, count):
    if count <= LAST:
        return "-"
    accuracies = [100 * result["val_accuracy"] for result in run[-LAST:]]
    return f"{statistics.mean(accuracies):.2f} %" if len(run) == count else NOT_RUN


def _best(run, count):
    return f"{100 * max(result['val_accuracy'] for result in run):.2f} %"


def _loss(run, count):
    return f"{run[-1]['loss']:.4f}"


def mnist(known):
    groups = {}
    for settings in sorted(plan.mnist(), key=_place):
        name = plan.mnist_name(settings)
        key = settings["order"], settings["digits"], name, settings["epochs"]
        groups.setdefault(key, []).append(epochs(known, settings))
    table = []
    for (order, size, layer, count), planned in groups.items():
        ran = [run for run in planned if run]
        cells = (
            ", ".join(text(run, count) for run in ran) or NOT_RUN
            for text in (_last, _mean, _best, _loss)
        )
        about = f"{order}, {size:,} digits, {count} epochs"
        table.append([about, layer, f"{len(ran)} of {len(planned)}", *cells])
    head = ["order", "layer", "seeds run", "test accuracy, last epoch", f"mean of the last {LAST}"]
    return markdown.table([*head, "best epoch", "training loss"], table)


def untrained(known):
    rows = by_seed(known, plan.untrained(), "layer", "normalised")
    table = []
    for (layer, normalised), results in rows.items():
        values = [
            cell(results, lambda result, name=name: f"{result[name]:.2f}")
            for name in ("correlation", "common")
        ]
        table.append([layer, "yes" if normalised else "no", *values])
    return markdown.table(["layer", "normalization", "correlation", "common part"], table)


def ablation(known):
    rows = by_seed(known, plan.ablation(), "on", "variant")
    table = []
    for variant in VARIANTS:
        digits = cell(
            rows["mnist", variant], lambda result: f"{100 * result['val_accuracy'][-1]:.2f} %"
        )
        table.append([variant, digits, cell(rows["adding", variant], solved)])
    return markdown.table(["AddGRU", "MNIST rows, test accuracy", "adding problem, T = 100"], table)


def averaging(known):
    rows = by_seed(known, plan.averaging(), "weight", "layer")

    def share(result):
        return f"{100 * result['errors'][-1] / result['variance']:.2f} %"

    table = [
        [layer, *(cell(rows[weight, layer], share) for weight in plan.AVERAGING_WEIGHTS)]
        for layer in runs.AVERAGING_LAYERS
    ]
    return markdown.table(
        ["layer", *(f"weight {weight}" for weight in plan.AVERAGING_WEIGHTS)], table
    )


TABLES = {each.__name__: each for each in (exact, adding, mnist, untrained, ablation, averaging)}


def tables(known):
    return {f"paper_experiments/{name}": table(known) for name, table in TABLES.items()}
