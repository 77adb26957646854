"""How many digits does an encrypted network read in how many seconds, adding or multiplying?

The networks are trained alike. Each gate has the cheapest of its forms. Some held-out digits go
through the network of the first seed, encrypted, and every result is compared with NumPy's, bit for
bit. All held-out digits go through the networks of all seeds in the clear.

Seconds are of the processors: other work on the machine does not change them much.

The networks are in results/encrypted_accuracy; to train one again, remove its files first.

    .venv/bin/python -m benchmarks.encrypted_accuracy.training --data-dir DIR  # `make setup`
    .venv-fhe/bin/python -m benchmarks.encrypted_accuracy --run --data-dir DIR # `make setup-fhe`
    .venv/bin/python -m benchmarks.encrypted_accuracy                          # table and plot
"""

import math
import statistics
import time

import numpy as np

import addrnn
from addrnn import fhe
from benchmarks._harness import markdown
from benchmarks._harness.experiment import Experiment
from benchmarks._harness.machine import encryption_conditions
from benchmarks.encrypted_accuracy import digits, networks, plan
from benchmarks.encrypted_gates.__main__ import GLOBAL_P_ERROR

STYLES = {"MinAddGRU": "o", "AddGRU": "s", "minGRU": "x", "minGRU, coarse": "1", "GRU": "+"}
ACCURACIES = [0.85 + 0.01 * step for step in range(13)]
# Digits that are timed, and one before them, for which the keys are expanded.
ENCRYPTED = {"digits": 20, "MNIST": 5}


def planned():
    """Those of whole sequences; encrypted_stream.py has the others."""
    return (settings for settings in plan.networks() if settings["task"] != "vowels")


def run(settings, options, keep):
    paths = plan.paths_of(settings)
    if all(path.is_file() for path in paths):
        models = [addrnn.load(path) for path in paths]
        keep(settings, measure(settings, models, options.data_dir))
    else:
        print(*settings.values(), "is not trained: NOT RUN")


def measure(settings, models, data_dir):
    """All models in the clear, and the first one encrypted."""
    load_test = digits.TASKS[settings["task"]].load_test
    inputs, labels = load_test(settings["steps"], data_dir)
    adds, parts = "Add" in settings["gate"], networks.parts_of(settings["gate"])
    answers = [
        model.run(inputs, executor="reference") if adds else networks.answers(model, inputs, parts)
        for model in models
    ]
    begin = time.perf_counter()
    if adds:
        encrypted = fhe.compile(
            models[0],
            settings["steps"],
            input_range=digits.INPUT_RANGE,
            global_p_error=GLOBAL_P_ERROR,
        )
        circuit, form = encrypted.circuit, encrypted.formulation
    else:
        circuit, form = networks.compiled(
            models[0], parts, settings["steps"], digits.INPUT_RANGE, GLOBAL_P_ERROR
        )
    compiled = time.perf_counter()
    circuit.keygen()
    made = time.perf_counter()
    seconds, processor_seconds = [], []
    count = ENCRYPTED[settings["task"]] + 1
    for digit, scores in zip(inputs[:count], answers[0], strict=False):
        encrypted = circuit.encrypt(digit)
        processor, wall = time.process_time(), time.perf_counter()
        output = circuit.run(encrypted)
        seconds.append(time.perf_counter() - wall)
        processor_seconds.append(time.process_time() - processor)
        np.testing.assert_array_equal(np.ravel(circuit.decrypt(output)), scores)
    return {
        "right": [int((each.argmax(-1) == labels).sum()) for each in answers],
        "digits": len(labels),
        "exact": len(seconds),
        "seconds": seconds[1:],
        "processor_seconds": processor_seconds[1:],
        "form": form,
        "pbs": circuit.programmable_bootstrap_count,
        "complexity": circuit.complexity,
        "compile_seconds": compiled - begin,
        "key_seconds": made - compiled,
        "key_bytes": circuit.size_of_bootstrap_keys + circuit.size_of_keyswitch_keys,
    }


def points(known):
    """Settings with shares, their mean, its standard error, and medians of the seconds."""
    for line in known.values():
        result = line["result"]
        shares = [right / result["digits"] for right in result["right"]]
        mean = statistics.fmean(shares)
        # Of the digits, which are the same for all seeds, and of the seeds.
        error = math.sqrt(mean * (1 - mean) / result["digits"])
        if len(shares) > 1:
            error = math.hypot(error, statistics.stdev(shares) / math.sqrt(len(shares)))
        yield {
            **line["settings"],
            **result,
            "shares": shares,
            "mean": mean,
            "error": error,
            "processor_seconds": statistics.median(result["processor_seconds"]),
            "least": min(result["seconds"]),
        }


def tables(known):
    rows = []
    for point in points(known):
        named = [point[name] for name in ("task", "gate", "steps", "bits", "units")]
        shares = ", ".join(f"{100 * share:.1f}" for share in point["shares"])
        rows.append(
            (
                *named,
                f"{100 * point['mean']:.1f} ± {100 * point['error']:.1f} ({shares})",
                f"{point['processor_seconds']:.2f}",
                f"{point['least']:.2f}",
                f"{point['complexity'] / 1e9:.1f}",
                point["pbs"],
                point["exact"],
                point["form"],
            )
        )
    columns = (
        "task",
        "gate",
        "steps",
        "bits of the sums",
        "units",
        "right, % ± standard error (seeds)",
        "processor seconds",
        "least seconds",
        "complexity, 10⁹",
        "PBS",
        "encrypted, exact",
        "form",
    )
    return {
        "encrypted_accuracy": markdown.table(columns, rows, text=2),
        "encrypted_frontier": _frontier([p for p in points(known) if p["task"] == "digits"]),
    }


def _frontier(found):
    """For some accuracies the quickest network that reaches them: adding, multiplying, the share.

    Networks of as many steps are compared, and the mean of the seeds counts.
    """
    rows = []
    for steps in sorted({point["steps"] for point in found}):
        for accuracy in ACCURACIES:
            quickest = []
            for adds in (True, False):
                fit = [
                    point
                    for point in found
                    if ("Add" in point["gate"]) == adds
                    and point["steps"] == steps
                    and point["mean"] >= accuracy
                ]
                quickest.append(
                    min(fit, key=lambda point: point["processor_seconds"], default=None)
                )
            if None not in quickest:
                shares = [
                    f"{quickest[0][name] / quickest[1][name]:.0%}"
                    for name in ("processor_seconds", "complexity")
                ]
                rows.append((steps, f"{accuracy:.0%}", *map(_named, quickest), *shares))
    columns = ("steps", "right", "adding", "multiplying", "share of seconds", "of complexity")
    return markdown.table(columns, rows, text=4)


def _seconds(point):
    return point["processor_seconds"]


def _named(point):
    about = "{gate}, {units} units, {bits} bits".format(**point)
    return f"{about}: {point['mean']:.1%}, {point['processor_seconds']:.2f} s"


def plots(known):
    from benchmarks._harness import plots

    figure, ((axes,),) = plots.figure(size=(7, 5))
    for gate, style in STYLES.items():
        found = [
            point for point in points(known) if (point["task"], point["gate"]) == ("digits", gate)
        ]
        if not found:
            continue
        axes.errorbar(
            [point["processor_seconds"] for point in found],
            [100 * point["mean"] for point in found],
            [100 * point["error"] for point in found],
            fmt=style,
            label=f"{gate}{'' if 'Add' in gate else ' (multiplies)'}",
            elinewidth=0.5,
        )
        for point in found:
            axes.annotate(
                "{steps}, {bits}, {units}".format(**point),
                (point["processor_seconds"], 100 * point["mean"]),
                xytext=(4, 3),
                textcoords="offset points",
                fontsize=6,
            )
    axes.set(xlabel="processor seconds for a digit, encrypted", ylabel="held-out digits right, %")
    axes.set_title("UCI's digits; beside each: steps, bits of its sums, units", fontsize=9)
    axes.legend()
    figure.tight_layout()
    yield "encrypted_accuracy", figure


EXPERIMENT = Experiment(
    __doc__,
    "encrypted_accuracy",
    planned,
    run,
    tables,
    plots,
    timed=True,
    conditions=encryption_conditions,
)

if __name__ == "__main__":
    EXPERIMENT.main()
