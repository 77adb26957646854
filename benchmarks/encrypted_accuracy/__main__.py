"""How many digits does an encrypted network read in how many seconds, adding or multiplying?

The networks are alike but for the gate and the sizes; a few held-out digits go through each,
encrypted. A network that multiplies is run with the gates of four and of six look-ups of
encrypted_gates/circuits.py; for one that adds, the library takes the cheapest form. Each result is
decrypted and compared with NumPy's.

The networks are in results/encrypted_accuracy; to train one again, remove its file first.

    .venv/bin/python -m benchmarks.encrypted_accuracy.training     # `make setup`; an hour
    .venv-fhe/bin/python -m benchmarks.encrypted_accuracy --run    # `make setup-fhe`
    .venv/bin/python -m benchmarks.encrypted_accuracy              # the table and the plot
"""

import statistics
import time

import numpy as np

import addrnn
from addrnn import fhe
from benchmarks._harness import markdown
from benchmarks._harness.experiment import Experiment
from benchmarks._harness.machine import encryption_conditions
from benchmarks.encrypted_accuracy import digits, plan
from benchmarks.encrypted_accuracy.networks import Network, answers
from benchmarks.encrypted_gates.__main__ import GLOBAL_P_ERROR
from benchmarks.encrypted_gates.circuits import compiled

DIGITS = 2  # timed for each network


def run(settings, options, keep):
    path = plan.path_of(settings)
    if path.is_file():
        keep(settings, measure(path, settings["form"]))
    else:
        print(*settings.values(), "is not trained: NOT RUN")


def measure(path, form):
    model = addrnn.load(path)
    _, images, _, labels = digits.load()
    inputs = model.inputs.quantize(digits.steps(images))
    low, high = (int(model.inputs.quantize(value)) for value in (0.0, 1.0))
    network = Network(model, inputs.shape[1], form, (low, high))
    expected = answers(network, inputs)
    if form == "add":
        options = {"input_range": (low, high), "global_p_error": GLOBAL_P_ERROR}
        circuit = fhe.compile(model, network.timesteps, **options).circuit
    else:
        circuit = compiled(network, GLOBAL_P_ERROR)
    circuit.keygen()
    seconds = []
    # The first digit is not timed: the keys are expanded for it.
    for digit, scores in zip(inputs[: DIGITS + 1], expected, strict=False):
        encrypted = circuit.encrypt(*([digit] if form == "add" else digit))
        begin = time.perf_counter()
        output = circuit.run(encrypted)
        seconds.append(time.perf_counter() - begin)
        np.testing.assert_array_equal(np.ravel(circuit.decrypt(output)), scores)
    return {
        "accuracy": float((expected.argmax(-1) == labels).mean()),
        "seconds": seconds[1:],
        "pbs": circuit.programmable_bootstrap_count,
        "complexity": circuit.complexity,
    }


def tables(known):
    rows = []
    for line in known.values():
        form, units, bits = (line["settings"][name] for name in ("form", "units", "bits"))
        result, seconds = line["result"], statistics.median(line["result"]["seconds"])
        cells = f"{result['accuracy']:.1%}", f"{seconds:.1f}", result["pbs"]
        rows.append((form, units, bits, *cells, f"{result['complexity'] / 1e9:.0f}"))
    columns = ("gate", "units", "bits of the sums", "right", "seconds", "PBS", "complexity, 10⁹")
    return {"encrypted_accuracy": markdown.table(columns, rows, text=1)}


def plots(known):
    from benchmarks._harness import plots

    figure, ((axes,),) = plots.figure()
    for form in dict.fromkeys(line["settings"]["form"] for line in known.values()):
        lines = [line for line in known.values() if line["settings"]["form"] == form]
        points = [
            (statistics.median(line["result"]["seconds"]), 100 * line["result"]["accuracy"])
            for line in lines
        ]
        axes.plot(*zip(*points, strict=True), "o" if form == "add" else "x", label=form)
        for line, point in zip(lines, points, strict=True):
            text = "{units}, {bits}".format(**line["settings"])
            axes.annotate(text, point, xytext=(3, 3), textcoords="offset points", fontsize=7)
    axes.set(xlabel="seconds for a digit, encrypted", ylabel="held-out digits right, %")
    axes.set_title("beside each: units, bits of its sums", fontsize=9)
    axes.legend()
    figure.tight_layout()
    yield "encrypted_accuracy", figure


EXPERIMENT = Experiment(
    __doc__,
    "encrypted_accuracy",
    plan.forms,
    run,
    tables,
    plots,
    timed=True,
    conditions=encryption_conditions,
)

if __name__ == "__main__":
    EXPERIMENT.main()
