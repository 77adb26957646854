"""The tables of docs/evidence.md, from what evidence.py has recorded."""

import pathlib
import statistics

import evidence_plan as plan
import records
import tables

RESULTS = pathlib.Path(__file__).parent / "results"
PAGE = pathlib.Path(__file__).parents[1] / "docs" / "evidence.md"
NOT_RUN = "NOT RUN"
SOLVED = 0.01  # mean squared error of the adding problem
LAST = 10  # epochs whose mean tells more than the last one, which goes up and down


def of(known, settings):
    """The result recorded for these settings, or None."""
    run = known.get(records.key_of(settings))
    return None if run is None else run["result"]


def by_seed(known, planned, *names):
    """`{values of the settings named: [result or None for each planned seed]}`."""
    rows = {}
    for settings in planned:
        key = tuple(settings.get(name) for name in names)
        rows.setdefault(key, {})[settings["seed"]] = of(known, settings)
    return {key: [results[seed] for seed in sorted(results)] for key, results in rows.items()}


def cell(results, text):
    """What `text` makes of each seed's result; how many of the seeds that are planned there are."""
    found = [text(result) for result in results if result is not None]
    if not found:
        return NOT_RUN
    missing = len(results) - len(found)
    return ", ".join(found) + (f" ({missing} of {len(results)} seeds {NOT_RUN})" if missing else "")


def markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def exact(known):
    results = [of(known, settings) for settings in plan.exact()]
    names = dict.fromkeys(name for result in results for name in result or ())
    table = [
        [name, *(NOT_RUN if result is None else f"{result[name]:.2g}" for result in results)]
        for name in names
    ]
    return markdown(["adder", *(f"T = {length:,}" for length in plan.EXACT_LENGTHS)], table)


def solved(result):
    """The batch at which the adding problem was solved, or the error that was reached."""
    below = [number for number, error in enumerate(result["errors"], 1) if error < SOLVED]
    return f"{50 * below[0]:,}" if below else f"never ({result['errors'][-1]:.3f})"


def adding(known):
    rows = by_seed(known, plan.adding(), "T", "layer")
    table = [
        [str(length), *(cell(rows[length, layer], solved) for layer in plan.ADDING_LAYERS)]
        for length in plan.ADDING_LENGTHS
    ]
    return markdown(["T", *plan.ADDING_LAYERS], table)


def epochs(known, settings):
    """The results after each epoch of a run on MNIST, as far as it went."""
    found = []
    for epoch in range(1, settings["epochs"] + 1):
        result = of(known, {**settings, "epoch": epoch})
        if result is None:
            break
        found.append(result)
    return found


def _place(settings):
    """Where a run on MNIST stands in the table; those of one row are next to each other."""
    layer = plan.MNIST_LAYERS.index(settings["layer"])
    return plan.MNIST_ORDERS.index(settings["order"]), layer, settings["seed"]


def mnist(known):
    groups = {}
    for settings in sorted(plan.mnist(), key=_place):
        key = settings["order"], settings["digits"], settings["layer"], settings["epochs"]
        groups.setdefault(key, []).append(epochs(known, settings))
    table = []
    for (order, digits, layer, count), runs in groups.items():
        ran = [run for run in runs if run]

        def each(number, runs=ran):
            return ", ".join(number(run) for run in runs) or NOT_RUN

        def accuracy(run, count=count):
            text = f"{100 * run[-1]['val_accuracy']:.2f} %"
            return text if len(run) == count else f"{text} after {len(run)} (interrupted)"

        def last(run, count=count):
            accuracies = [100 * result["val_accuracy"] for result in run[-LAST:]]
            return f"{statistics.mean(accuracies):.2f} %" if len(run) == count else NOT_RUN

        seconds = [result["processor_seconds"] for run in ran for result in run[1:]]
        table.append(
            [
                f"{order}, {digits:,} digits",
                layer,
                f"{len(ran)} of {len(runs)}",
                each(accuracy),
                each(last),
                each(lambda run: f"{100 * max(result['val_accuracy'] for result in run):.2f} %"),
                each(lambda run: f"{run[-1]['loss']:.4f}"),
                f"{statistics.median(seconds):.1f}" if seconds else NOT_RUN,
            ]
        )
    head = ["order", "layer", "seeds run", "test accuracy, last epoch", f"mean of the last {LAST}"]
    return markdown([*head, "best epoch", "training loss", "processor s / epoch"], table)


def ablation(known):
    rows = by_seed(known, plan.ablation(), "on", "variant")
    table = []
    for variant in plan.VARIANTS:
        digits = cell(
            rows["mnist", variant], lambda result: f"{100 * result['val_accuracy'][-1]:.2f} %"
        )
        table.append([variant, digits, cell(rows["adding", variant], solved)])
    return markdown(["AddGRU", "MNIST rows, test accuracy", "adding problem, T = 100"], table)


def averaging(known):
    rows = by_seed(known, plan.averaging(), "weight", "layer")

    def share(result):
        return f"{100 * result['errors'][-1] / result['variance']:.2f} %"

    table = [
        [layer, *(cell(rows[weight, layer], share) for weight in plan.AVERAGING_WEIGHTS)]
        for layer in plan.AVERAGING_LAYERS
    ]
    return markdown(["layer", *(f"weight {weight}" for weight in plan.AVERAGING_WEIGHTS)], table)


def _losses(result):
    return " ".join(f"{loss:.2f}" for loss in result["val_loss"])


def handwriting(known):
    """Of benchmarks/handwriting.py's records: those that were trained to the end, and tested."""

    def key(run):
        return run["data"], run.get("normalization", ""), run["layer"], run["seed"]

    table = []
    for run in sorted(records.lines(RESULTS / "handwriting.jsonl"), key=key):
        table.append(
            [
                f"{run['data']}, {run['images']:,} images",
                "yes" if run.get("normalization") else "no",
                run["layer"],
                str(run["seed"]),
                f"{100 * run['greedy']['cer']:.2f} %",
                f"{run['processor_seconds_per_epoch']:.1f}",
                _losses(run),
            ]
        )
    head = ["words", "normalisation", "layer", "seed", "characters wrong (test)"]
    return markdown([*head, "processor s / epoch", "validation loss after each epoch"], table)


def search(known):
    """Of benchmarks/handwriting_search.py's records: short runs."""
    table = []
    for run in records.lines(RESULTS / "handwriting_search.jsonl"):
        settings, error = run["settings"], f"{100 * run['result']['cer']:.2f} %"
        table.append([settings["data"], settings["variant"], error, _losses(run["result"])])
    head = ["words", "recurrent part", "characters wrong (validation)"]
    return markdown([*head, "validation loss after each epoch"], table)


TABLES = {
    "exact": exact,
    "adding": adding,
    "mnist": mnist,
    "handwriting": handwriting,
    "search": search,
    "ablation": ablation,
    "averaging": averaging,
}


def write(known, page=PAGE):
    """Puts the tables into the page, between the comments that name them."""
    tables.fill(page, {name: table(known) for name, table in TABLES.items()})
