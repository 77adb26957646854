"""The tables of docs/evidence.md, from what evidence.py has recorded."""

import pathlib
import statistics

import evidence_plan as plan
import records
import tables

RESULTS = pathlib.Path(__file__).parent / "results"
PAGE = pathlib.Path(__file__).parents[1] / "docs" / "evidence.md"
NOT_RUN = "NOT RUN"
LATER_SETTINGS = ("normalization", "rate")  # that the first records of handwriting do not have
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
    rows = by_seed(known, plan.exact(), "problem", "T")
    table = []
    for problem in plan.EXACT_PROBLEMS:
        results = [rows[problem, length][0] for length in plan.EXACT_LENGTHS]
        for name in dict.fromkeys(name for result in results for name in result or ()):
            errors = (NOT_RUN if result is None else f"{result[name]:.2g}" for result in results)
            table.append([problem, name, *errors])
    head = ["marked values", "adder", *(f"T = {length:,}" for length in plan.EXACT_LENGTHS)]
    return markdown(head, table)


def solved(result):
    """The batch at which the adding problem was solved, or the error that was reached."""
    below = [
        number for number, error in enumerate(result["errors"], 1) if error < plan.ADDING_SOLVED
    ]
    return f"{plan.ERROR_EVERY * below[0]:,}" if below else f"never ({result['errors'][-1]:.3f})"


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
    order = plan.MNIST_ORDERS.index(settings["order"])
    layer = plan.MNIST_LAYERS.index(settings["layer"])
    return order, settings.get("rate", ""), layer, settings["seed"]


def mnist(known):
    groups = {}
    for settings in sorted(plan.mnist(), key=_place):
        name = plan.mnist_name(settings)
        key = settings["order"], settings["digits"], name, settings["epochs"]
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
            if count <= LAST:
                return "-"
            accuracies = [100 * result["val_accuracy"] for result in run[-LAST:]]
            return f"{statistics.mean(accuracies):.2f} %" if len(run) == count else NOT_RUN

        table.append(
            [
                f"{order}, {digits:,} digits, {count} epochs",
                layer,
                f"{len(ran)} of {len(runs)}",
                each(accuracy),
                each(last),
                each(lambda run: f"{100 * max(result['val_accuracy'] for result in run):.2f} %"),
                each(lambda run: f"{run[-1]['loss']:.4f}"),
            ]
        )
    head = ["order", "layer", "seeds run", "test accuracy, last epoch", f"mean of the last {LAST}"]
    return markdown([*head, "best epoch", "training loss"], table)


def times(known):
    """The median of the epochs; the first traces and compiles."""
    (settings,) = plan.times()
    result = of(known, settings)
    seconds = {layer: statistics.median(each[1:]) for layer, each in (result or {}).items()}
    table = [
        [
            layer,
            f"{seconds[layer]:.2f}" if seconds else NOT_RUN,
            f"{seconds[layer] / seconds['AddGRU']:.1f}" if seconds else NOT_RUN,
        ]
        for layer in plan.MNIST_LAYERS
    ]
    return markdown(["layer", "processor s / epoch", "AddGRU = 1"], table)


def untrained(known):
    rows = by_seed(known, plan.untrained(), "layer", "normalised")
    table = []
    for (layer, normalised), results in rows.items():
        values = [
            cell(results, lambda result, name=name: f"{result[name]:.2f}")
            for name in ("correlation", "common")
        ]
        table.append([layer, "yes" if normalised else "no", *values])
    return markdown(["layer", "normalisation", "correlation", "common part"], table)


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
    """Those of all epochs, but of a long training the first ten and the last."""
    losses = [f"{loss:.2f}" for loss in result["val_loss"]]
    return " ".join(losses if len(losses) <= 12 else [*losses[:10], "…", losses[-1]])


def handwriting(known):
    """Of benchmarks/handwriting.py's records: those that were trained to the end, and tested."""

    def key(run):
        return (
            run["data"],
            *(run.get(name, "") for name in LATER_SETTINGS),
            run["layer"],
            run["seed"],
        )

    table = []
    for run in sorted(records.lines(RESULTS / "handwriting.jsonl"), key=key):
        table.append(
            [
                f"{run['data']}, {run['images']:,} images",
                *("yes" if run.get(name) else "no" for name in LATER_SETTINGS),
                run["layer"],
                str(run["seed"]),
                f"{100 * run['greedy']['cer']:.2f} %",
                f"{run['processor_seconds_per_epoch']:.1f} ({run['machine'].split(',')[0]})",
                _losses(run),
            ]
        )
    head = ["words", "normalisation", "falling rate", "layer", "seed", "test CER"]
    head.append("processor s / epoch (date)")
    return markdown([*head, "validation loss after each epoch"], table)


def _about(run):
    return run["settings"]["data"], run["settings"]["epochs"]


def search(known):
    """Of benchmarks/handwriting_search.py's records: short runs."""
    table = []
    for run in sorted(records.lines(RESULTS / "handwriting_search.jsonl"), key=_about):
        settings, error = run["settings"], f"{100 * run['result']['cer']:.2f} %"
        about = [settings["data"], str(settings["epochs"]), settings["variant"]]
        table.append([*about, error, _losses(run["result"])])
    head = ["words", "epochs", "recurrent part", "validation CER"]
    return markdown([*head, "validation loss after each epoch"], table)


TABLES = {
    "exact": exact,
    "adding": adding,
    "mnist": mnist,
    "times": times,
    "handwriting": handwriting,
    "untrained": untrained,
    "search": search,
    "ablation": ablation,
    "averaging": averaging,
}


def write(known, page=PAGE):
    """Puts the tables into the page, between the comments that name them."""
    tables.fill(page, {name: table(known) for name, table in TABLES.items()})
