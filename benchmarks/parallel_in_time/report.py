"""The tables of the recorded runs."""

from benchmarks._harness import markdown
from benchmarks._harness.seeds import by_seed, cell
from benchmarks._tasks import adding as adding_task
from benchmarks.parallel_in_time import plan

ABOUT = (
    "The seconds are the processor's, of one thread. AddGRU and MinAddGRU run as compiled ops, "
    "minGRU and QRNN as Keras operations: what these take says nothing about the layers.\n"
)


def tables(known):
    parts = [ABOUT, *(_table(known, *each) for each in TABLES)]
    return {"parallel_in_time": "\n".join(parts)}


def _table(known, planned, about, text):
    rows = []
    for (steps, layer, units), results in by_seed(known, planned(), "T", "layer", "units").items():
        ran = [result for result in results if result is not None]
        rows.append(
            (
                *([f"T = {steps:,}"] if steps else []),
                f"{layer}, {units} units",
                f"{ran[0]['parameters']:,}" if ran else "",
                cell(results, text),
                ", ".join(f"{result['seconds']:,.0f}" for result in ran),
            )
        )
    head = ["layer", "weights", "each seed", "processor's seconds"]
    head = head if len(rows[0]) == len(head) else ["steps", *head]
    return f"{about}\n\n" + markdown.table(head, rows)


def _solved(result):
    errors = [float("inf") if error is None else error for error in result["history"]]
    return adding_task.solved_cell(errors)


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
