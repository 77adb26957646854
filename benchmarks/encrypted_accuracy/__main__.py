"""How many digits does an encrypted network read in how many seconds, adding or multiplying?

The networks are trained alike. Each gate has the cheapest of its forms. Some held-out digits go
through the network of the first seed, encrypted, and every result is compared with NumPy's, bit for
bit. Networks of as many steps and units take each digit in turn. All held-out digits go through the
networks of all seeds in the clear.

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
    """What is compared: networks of as many steps and units, run in turn.

    Those whose sums read states are apart, as their keys take much memory. encrypted_stream.py has
    the networks of streams.
    """
    groups = (_group_of(each) for each in plan.networks() if each["task"] != "vowels")
    return [dict(group) for group in dict.fromkeys(tuple(group.items()) for group in groups)]


def members(group):
    """The settings of the networks of a group."""
    return [settings for settings in plan.networks() if _group_of(settings) == group]


def _group_of(settings):
    shared = {name: settings[name] for name in ("task", "steps", "units")}
    return {**shared, "reads states": settings["gate"] in plan.READING_STATES}


def run(group, options, keep):
    trained = []
    for settings in members(group):
        if all(path.is_file() for path in plan.paths_of(settings)):
            trained.append(settings)
        else:
            print(*settings.values(), "is not trained: NOT RUN")
    if trained:
        for settings, result in zip(trained, measure(trained, options.data_dir), strict=True):
            keep(settings, result)


class Encrypted:
    """A network with its circuit and keys, and the answers of all seeds in the clear."""

    def __init__(self, settings, inputs):
        models = [addrnn.load(path) for path in plan.paths_of(settings)]
        adds, parts = "Add" in settings["gate"], networks.parts_of(settings["gate"])
        self.answers = [
            model.run(inputs, executor="reference")
            if adds
            else networks.answers(model, inputs, parts)
            for model in models
        ]
        begin = time.perf_counter()
        options = settings["steps"], digits.INPUT_RANGE, GLOBAL_P_ERROR
        if adds:
            steps, input_range, error = options
            encrypted = fhe.compile(models[0], steps, input_range=input_range, global_p_error=error)
            self.circuit, self.form = encrypted.circuit, encrypted.formulation
        else:
            self.circuit, self.form = networks.compiled(models[0], parts, *options)
        compiled = time.perf_counter()
        self.circuit.keygen()
        self.compile_seconds = compiled - begin
        self.key_seconds = time.perf_counter() - compiled
        self.seconds, self.processor_seconds = [], []

    def read(self, digit, scores):
        """One digit of the first seed's network; its scores must be the integers'."""
        encrypted = self.circuit.encrypt(digit)
        processor, wall = time.process_time(), time.perf_counter()
        output = self.circuit.run(encrypted)
        self.seconds.append(time.perf_counter() - wall)
        self.processor_seconds.append(time.process_time() - processor)
        np.testing.assert_array_equal(np.ravel(self.circuit.decrypt(output)), scores)

    def result(self, labels):
        return {
            "right": [int((each.argmax(-1) == labels).sum()) for each in self.answers],
            "digits": len(labels),
            "exact": len(self.seconds),
            "seconds": self.seconds[1:],
            "processor_seconds": self.processor_seconds[1:],
            "form": self.form,
            "pbs": self.circuit.programmable_bootstrap_count,
            "complexity": self.circuit.complexity,
            "compile_seconds": self.compile_seconds,
            "key_seconds": self.key_seconds,
            "key_bytes": self.circuit.size_of_bootstrap_keys + self.circuit.size_of_keyswitch_keys,
        }


def measure(group, data_dir):
    """The results of some networks of one task: digit by digit, all networks read it in turn."""
    task, steps = group[0]["task"], group[0]["steps"]
    inputs, labels = digits.TASKS[task].load_test(steps, data_dir)
    all_encrypted = [Encrypted(settings, inputs) for settings in group]
    for index in range(ENCRYPTED[task] + 1):
        for encrypted in all_encrypted:
            encrypted.read(inputs[index], encrypted.answers[0][index])
    return [encrypted.result(labels) for encrypted in all_encrypted]


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
    lines=members,
    timed=True,
    conditions=encryption_conditions,
)

if __name__ == "__main__":
    EXPERIMENT.main()
