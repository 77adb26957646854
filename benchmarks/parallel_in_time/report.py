"""The tables of the recorded runs."""

from benchmarks._harness import markdown, records
from benchmarks._tasks import adding as adding_task
from benchmarks.parallel_in_time import plan

MISSING = "NOT RUN"
ABOUT = (
    "The seconds are the processor's, of one thread. AddGRU and MinAddGRU run as compiled ops, "
    "minGRU and QRNN as Keras operations: what these take says nothing about the layers.\n"
)


def tables(known):
    parts = [ABOUT, *(_table(known, *each) for each in TABLES)]
    return {"parallel_in_time": "\n".join(parts)}


def _table(known, planned, about, cell):
    rows = {}
    for settings in planned():
        seeds = settings.pop("seeds")
        found = [records.result(known, {**settings, "seed": seed}) for seed in range(seeds)]
        ran = [each for each in found if each is not None]
        name = f"{settings['layer']}, {settings['units']} units"
        row = [f"T = {settings['T']:,}"] if "T" in settings else []
        rows[*row, name] = [*_cells(ran, len(found), cell)]
    first = ["steps", "layer"] if "T" in settings else ["layer"]
    head = [*first, "weights", "each seed", "processor's seconds"]
    return f"{about}\n\n" + markdown.table(head, [[*key, *cells] for key, cells in rows.items()])


def _cells(ran, planned, cell):
    if not ran:
        return "", MISSING, ""
    absent = planned - len(ran)
    more = f" ({absent} of {planned} seeds {MISSING})" if absent else ""
    return (
        f"{ran[0]['parameters']:,}",
        ", ".join(map(cell, ran)) + more,
        ", ".join(f"{result['seconds']:,.0f}" for result in ran),
    )


def _solved(result):
    errors = [float("inf") if error is None else error for error in result["history"]]
    after = adding_task.solved_after(errors)
    return f"never ({errors[-1]:.3f})" if after is None else f"{after:,}"


def _percent(result):
    return "diverged" if result["error"] is None else f"{100 * result['error']:.2f} %"


def _right(result):
    return f"{100 * (1 - result['error']):.2f} %"


TABLES = (
    (
        plan.adding,
        "The adding problem: the batches after which the mean squared error was first below "
        f"{adding_task.SOLVED}, looked at every {adding_task.ERROR_EVERY}; or never within "
        f"{plan.ADDING_BATCHES}, with the last error.",
        _solved,
    ),
    (
        plan.pixels,
        "MNIST, pixel by pixel: 784 steps, 10,000 digits, 10 epochs. The accuracy on 2,000 digits.",
        _right,
    ),
    (
        plan.rows,
        "MNIST by rows: 60,000 digits, 50 epochs, a falling rate. The accuracy on 10,000 digits.",
        _right,
    ),
    (
        plan.parity,
        f"Parity at each of {plan.PARITY_STEPS} steps, after {plan.PARITY_BATCHES:,} batches: the "
        "share of wrong answers. By chance it is 50 %.",
        _percent,
    ),
)
