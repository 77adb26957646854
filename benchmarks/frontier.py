"""How accurate is an encrypted network of digits for its seconds, adding or multiplying?

Trains small networks for examples/encrypted_digits, alike but for the gate and the sizes, and runs
a few held-out digits through each, encrypted. A network that multiplies is run with the gates of
four and of six look-ups of fhe_circuits.py; for one that adds, the library takes the cheapest form.
Each result is decrypted and compared with NumPy's. What is in results/ is not done again: remove a
network's file and its lines to do so.

    .venv/bin/python benchmarks/frontier.py --train      # `make setup`; an hour
    .venv-fhe/bin/python benchmarks/frontier.py --measure    # `make setup-fhe`
    .venv-fhe/bin/python benchmarks/frontier.py --table
    .venv/bin/python benchmarks/frontier.py --plot benchmarks/results/frontier.png
"""

import argparse
import pathlib
import statistics
import sys
import time

import records

HERE = pathlib.Path(__file__).parent
RESULTS = HERE / "results" / "frontier.jsonl"
TRAINED = HERE / "results" / "frontier"
SIZES = ((8, 5), (12, 5), (16, 5), (8, 6), (12, 6), (16, 6))  # units, bits of the sums
GATES = {"add": ("add",), "multiply": ("mul, 4 PBS", "mul, 6 PBS")}
SEED = 1


def plan():
    for units, bits in SIZES:
        for gate in GATES:
            yield {"gate": gate, "units": units, "bits": bits, "seed": SEED}


def path_of(settings):
    return TRAINED / ("_".join(map(str, settings.values())) + ".safetensors")


def train():
    import frontier_training

    for settings in plan():
        if not path_of(settings).is_file():
            model = frontier_training.train(settings)
            TRAINED.mkdir(parents=True, exist_ok=True)
            model.save(path_of(settings))
            print(*settings.values(), flush=True)


def measure(options):
    """A line for each trained network and each form of its gate."""
    for settings in plan():
        if not path_of(settings).is_file():
            print(*settings.values(), "is not trained: NOT RUN")
            continue
        for form in GATES[settings["gate"]]:
            run = {**settings, "form": form}
            if records.key_of(run) not in records.recorded(options.file):
                result = measured(path_of(settings), form, options.digits)
                records.record(options.file, {"settings": run, **result})
                print(*run.values(), result["result"], flush=True)


def measured(path, form, count):
    sys.path.insert(0, str(HERE.parent / "examples"))

    import numpy as np
    from encrypted_digits import pixels
    from fhe import GLOBAL_P_ERROR, conditions
    from fhe_circuits import compiled
    from frontier_networks import Network, answers

    import addrnn
    from addrnn import fhe

    model = addrnn.load(path)
    images, labels = pixels.load()
    digits = model.inputs.quantize(pixels.normalized(images, model.features))
    low, high = (int(model.inputs.quantize(value)) for value in (0.0, 1.0))
    network = Network(model, digits.shape[1], form, (low, high))
    expected = answers(network, digits)
    if form == "add":
        circuit = fhe.compile(
            model,
            network.timesteps,
            input_range=(low, high),
            global_p_error=GLOBAL_P_ERROR,
        ).circuit
    else:
        circuit = compiled(network, GLOBAL_P_ERROR)
    circuit.keygen()
    seconds = []
    # The first digit is not timed: the keys are expanded for it.
    for digit, scores in zip(digits[: count + 1], expected, strict=False):
        encrypted = circuit.encrypt(*([digit] if form == "add" else digit))
        begin = time.perf_counter()
        output = circuit.run(encrypted)
        seconds.append(time.perf_counter() - begin)
        np.testing.assert_array_equal(np.ravel(circuit.decrypt(output)), scores)
    return {
        "conditions": conditions(),
        "result": {
            "accuracy": float((expected.argmax(-1) == labels).mean()),
            "seconds": seconds[1:],
            "pbs": circuit.programmable_bootstrap_count,
            "complexity": circuit.complexity,
        },
    }


def print_table(path):
    print("| gate | units | bits of the sums | right | seconds | PBS | complexity, 10⁹ |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for run in records.recorded(path).values():
        settings, result = run["settings"], run["result"]
        print(
            f"| {settings['form']} | {settings['units']} | {settings['bits']} "
            f"| {result['accuracy']:.1%} | {statistics.median(result['seconds']):.1f} "
            f"| {result['pbs']} | {result['complexity'] / 1e9:.0f} |"
        )


def plot(path, image):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4))
    forms = {}
    for run in records.recorded(path).values():
        forms.setdefault(run["settings"]["form"], []).append(run)
    for form, runs in forms.items():
        points = [
            (statistics.median(run["result"]["seconds"]), 100 * run["result"]["accuracy"])
            for run in runs
        ]
        axes.plot(*zip(*points, strict=True), "o" if form == "add" else "x", label=form)
        for run, point in zip(runs, points, strict=True):
            text = "{units}, {bits}".format(**run["settings"])
            axes.annotate(text, point, xytext=(3, 3), textcoords="offset points", fontsize=7)
    axes.set(xlabel="seconds for a digit, encrypted", ylabel="held-out digits right, %")
    axes.set_title("beside each: units, bits of its sums", fontsize=9)
    axes.legend()
    figure.tight_layout()
    figure.savefig(image, dpi=110)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--train", action="store_true", help="train what is missing")
    add("--measure", action="store_true", help="encrypt digits for what is trained")
    add("--digits", type=int, default=2, help="timed for each network")
    add("--file", type=pathlib.Path, default=RESULTS)
    add("--table", action="store_true", help="print what is measured")
    add("--plot", type=pathlib.Path, help="draw what is measured")
    options = parser.parse_args(arguments)
    if options.train:
        train()
    if options.measure:
        measure(options)
    if options.table:
        print_table(options.file)
    if options.plot:
        plot(options.file, options.plot)


if __name__ == "__main__":
    main()
