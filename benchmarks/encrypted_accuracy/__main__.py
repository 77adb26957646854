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

import itertools
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

STYLES = {
    "MinAddGRU": "C0o",
    "AddGRU": "C1s",
    "minGRU": "C2x",
    "minGRU, coarse": "C3d",
    "GRU": "C4+",
}
ACCURACIES = [0.85 + 0.01 * step for step in range(13)]
ENCRYPTED = 20  # digits that are timed, and one before them, for which the keys are expanded


def planned():
    """What is compared, and run in turn: networks of as many steps and units, and MNIST's.

    Those whose sums read states are apart, as their keys take much memory. encrypted_stream.py has
    the networks of streams.
    """
    groups = (_group_of(each) for each in plan.networks() if each["task"] != "vowels")
    return [dict(group) for group in dict.fromkeys(tuple(group.items()) for group in groups)]


def lines(group):
    """The settings of the networks that are to be recorded: all if none is trained."""
    return _trained(group) or _members(group)


def _trained(group):
    return [settings for settings in _members(group) if plan.is_trained(settings)]


def _members(group):
    return [settings for settings in plan.networks() if _group_of(settings) == group]


def _group_of(settings):
    return {
        "task": settings["task"],
        "steps": settings["steps"],
        "units": "any" if settings["task"] == "MNIST" else settings["units"],
        "sums read": "states" if settings["gate"] in plan.READING_STATES else "inputs",
    }


def run(group, options, keep):
    trained = _trained(group)
    for settings in _members(group):
        if settings not in trained:
            print(*settings.values(), "is not trained: NOT RUN")
    if trained:
        for settings, result in zip(trained, measure(trained, options.data_dir), strict=True):
            keep(settings, result)


def measure(group, data_dir):
    """The results of some networks of one task: digit by digit, all networks read it in turn."""
    task, steps = group[0]["task"], group[0]["steps"]
    inputs, labels = digits.TASKS[task].load_test(steps, data_dir)
    answers = [_answers(settings, inputs) for settings in group]
    circuits = [Circuit(settings) for settings in group]
    for index in range(ENCRYPTED + 1):
        for settings, circuit, scores in zip(group, circuits, answers, strict=True):
            if plan.is_encrypted(settings):
                circuit.read(inputs[index], scores[0][index])
    for circuit, scores in zip(circuits, answers, strict=True):
        yield {
            "right": [int((each.argmax(-1) == labels).sum()) for each in scores],
            "digits": len(labels),
            **circuit.result(),
        }


def _answers(settings, inputs):
    """The scores of each seed, in the clear."""
    models = [addrnn.load(path) for path in plan.paths_of(settings)]
    if "Add" in settings["gate"]:
        return [model.run(inputs, executor="reference") for model in models]
    parts = networks.parts_of(settings["gate"])
    return [networks.answers(model, inputs, parts) for model in models]


class Circuit:
    """The circuit of a network's first seed, and the seconds of the digits that it has read."""

    def __init__(self, settings):
        model = addrnn.load(plan.paths_of(settings)[0])
        gate, steps = settings["gate"], settings["steps"]
        begin = time.perf_counter()
        if "Add" in gate:
            encrypted = fhe.compile(
                model, steps, input_range=digits.INPUT_RANGE, global_p_error=GLOBAL_P_ERROR
            )
            self.circuit, self.form = encrypted.circuit, encrypted.formulation
        else:
            parts = networks.parts_of(gate)
            self.circuit, self.form = networks.compiled(
                model, parts, steps, digits.INPUT_RANGE, GLOBAL_P_ERROR
            )
        self.compile_seconds = time.perf_counter() - begin
        self.seconds, self.processor_seconds = [], []

    def read(self, digit, scores):
        """Reads an encrypted digit; the scores must be the integers'."""
        encrypted = self.circuit.encrypt(digit)
        processor, wall = time.process_time(), time.perf_counter()
        output = self.circuit.run(encrypted)
        self.seconds.append(time.perf_counter() - wall)
        self.processor_seconds.append(time.process_time() - processor)
        np.testing.assert_array_equal(np.ravel(self.circuit.decrypt(output)), scores)

    def result(self):
        return {
            "exact": len(self.seconds),
            "seconds": self.seconds[1:],
            "processor_seconds": self.processor_seconds[1:],
            "form": self.form,
            "pbs": self.circuit.programmable_bootstrap_count,
            "complexity": self.circuit.complexity,
            "compile_seconds": self.compile_seconds,
            "key_bytes": self.circuit.size_of_bootstrap_keys + self.circuit.size_of_keyswitch_keys,
        }


def points(known):
    """Settings with shares, their mean, its standard error, and seconds where it ran encrypted."""
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
            "processor_seconds": median(result["processor_seconds"]),
            "seconds": median(result["seconds"]),
        }


def median(seconds):
    return statistics.median(seconds) if seconds else None


def tables(known):
    rows = []
    for point in points(known):
        named = [point[name] for name in ("task", "gate", "steps", "bits", "units")]
        shares = ", ".join(f"{100 * share:.1f}" for share in point["shares"])
        rows.append(
            (
                *named,
                f"{100 * point['mean']:.1f} ± {100 * point['error']:.1f} ({shares})",
                *(
                    f"{point[name]:.2f}" if point[name] else "NOT RUN"
                    for name in ("seconds", "processor_seconds")
                ),
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
        "seconds",
        "processor seconds",
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
        each = [point for point in found if point["steps"] == steps]
        adding = [point for point in each if "Add" in point["gate"]]
        multiplying = [point for point in each if "Add" not in point["gate"]]

        def quickest(accuracy, adding=adding, multiplying=multiplying):
            return _quickest(adding, accuracy), _quickest(multiplying, accuracy)

        for pair, accuracies in itertools.groupby(ACCURACIES, quickest):
            named = [f"{accuracy:.0%}" for accuracy in accuracies]
            if None not in pair:
                shares = [
                    f"{pair[0][name] / pair[1][name]:.0%}"
                    for name in ("seconds", "processor_seconds", "complexity")
                ]
                reached = " to ".join(dict.fromkeys((named[0], named[-1])))
                rows.append((steps, reached, *map(_named, pair), *shares))
    columns = (
        "steps",
        "right",
        "adding",
        "multiplying",
        "share of seconds",
        "of processor seconds",
        "of complexity",
    )
    return markdown.table(columns, rows, text=4)


def _quickest(points, accuracy):
    reaching = [point for point in points if point["mean"] >= accuracy]
    return min(reaching, key=lambda point: point["seconds"], default=None)


def _named(point):
    about = "{gate}, {units} units, {bits} bits".format(**point)
    return f"{about}: {point['mean']:.1%}, {point['seconds']:.2f} s"


def plots(known):
    """UCI's digits against seconds, and MNIST's against the estimate, as few of them were run."""
    from benchmarks._harness import plots

    figure, ((left, right),) = plots.figure(1, 2, size=(5.5, 5))
    found = list(points(known))
    _plot(left, [point for point in found if point["task"] == "digits"], "seconds", 1)
    left.set(xlabel="seconds for a digit, encrypted", ylabel="digits right, %")
    left.set_title("UCI's digits; beside each: steps, bits of its sums, units", fontsize=9)
    _plot(right, [point for point in found if point["task"] == "MNIST"], "complexity", 1e9)
    right.set(xlabel="the compiler's estimate, 10⁹")
    right.set_title("MNIST's", fontsize=9)
    left.legend(loc="lower right")
    left.set_ylim(bottom=88)
    for axes in (left, right):
        axes.margins(x=0.12)
    figure.tight_layout()
    yield "encrypted_accuracy", figure


def _plot(axes, found, name, unit):
    for gate, style in STYLES.items():
        chosen = [point for point in found if point["gate"] == gate]
        if not chosen:
            continue
        axes.errorbar(
            [point[name] / unit for point in chosen],
            [100 * point["mean"] for point in chosen],
            [100 * point["error"] for point in chosen],
            fmt=style,
            label=f"{gate}{'' if 'Add' in gate else ' (multiplies)'}",
            elinewidth=0.5,
        )
        for point in chosen:
            axes.annotate(
                "{steps}, {bits}, {units}".format(**point),
                (point[name] / unit, 100 * point["mean"]),
                xytext=(4, 3),
                textcoords="offset points",
                fontsize=6,
            )


EXPERIMENT = Experiment(
    __doc__,
    "encrypted_accuracy",
    planned,
    run,
    tables,
    plots,
    lines=lines,
    timed=True,
    conditions=encryption_conditions,
)

if __name__ == "__main__":
    EXPERIMENT.main()
