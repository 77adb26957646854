"""What does a gate cost under encryption that adds, and one that multiplies?

Measures one step of each gate of fhe_circuits.py, and a layer over some steps, at several bits and
numbers of units. The gates of one row of the table are compiled, get their keys, and are then run
in turn, so that they share what else the machine does; each result is decrypted and compared with
NumPy's. Appends one JSON line per row to a file. Rows that the file has already are skipped, so it
can be interrupted and continued. `--table` and `--plot` show what it holds.

Runs in .venv-fhe (`make setup-fhe`); the plot in .venv:

    .venv-fhe/bin/python benchmarks/fhe.py --bits 3 4 5 --units 1 4 8
    .venv-fhe/bin/python benchmarks/fhe.py --table
    .venv/bin/python benchmarks/fhe.py --plot benchmarks/results/fhe.png

Each gate's keys stay in memory until its row is done: up to 1 GB at 6 bits, more beyond.
"""

import argparse
import datetime
import importlib.metadata
import os
import pathlib
import statistics
import time

import machine
import numpy as np
from fhe_circuits import GATES, Layer, Step, compiled, expected
from records import key_of, record, recorded

from addrnn.fhe._bounds import lookup_bits

RESULTS = pathlib.Path(__file__).parent / "results" / "fhe.jsonl"
BASE = "mul, 6 PBS"
GLOBAL_P_ERROR = 1e-4


class Prepared:
    """A circuit with its keys, and what it is run on."""

    def __init__(self, circuit):
        self.description = circuit
        begin = time.perf_counter()
        self.circuit = compiled(circuit, GLOBAL_P_ERROR)
        self.compile_seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        self.circuit.keygen()
        self.key_seconds = time.perf_counter() - begin
        self.seconds, self.processor_seconds = [], []

    def run(self, inputs):
        """One timed run; what is decrypted has to be what NumPy computes."""
        encrypted = self.circuit.encrypt(*inputs)
        processor, begin = time.process_time(), time.perf_counter()
        output = self.circuit.run(encrypted)
        self.seconds.append(time.perf_counter() - begin)
        self.processor_seconds.append(time.process_time() - processor)
        np.testing.assert_array_equal(
            self.circuit.decrypt(output), expected(self.description, inputs)
        )

    def result(self):
        circuit = self.circuit
        return {
            "seconds": self.seconds,
            "processor_seconds": self.processor_seconds,
            "pbs": circuit.programmable_bootstrap_count,
            "table_bits": sorted(lookup_bits(circuit.graph)),
            "complexity": circuit.complexity,
            "p_error": circuit.p_error,
            "key_bytes": circuit.size_of_bootstrap_keys + circuit.size_of_keyswitch_keys,
            "compile_seconds": self.compile_seconds,
            "key_seconds": self.key_seconds,
        }


def conditions():
    return {
        "date": str(datetime.date.today()),
        "processor": machine.processor(),
        "processors": len(os.sched_getaffinity(0)),
        "concrete-python": importlib.metadata.version("concrete-python"),
        "load": os.getloadavg()[0],
    }


def measure(settings, repeats):
    """The results of all gates for one row."""
    kind = Layer if settings["timesteps"] else Step
    size = {name: value for name, value in settings.items() if value}
    before = conditions()
    prepared = {}
    for gate in GATES:
        try:
            prepared[gate] = Prepared(kind(gate=gate, **size))
        except ValueError as error:  # its look-ups are too wide
            print(f"{gate}: {error}", flush=True)
    rng = np.random.default_rng(1)
    for _ in range(repeats):
        inputs = next(iter(prepared.values())).description.draw(rng)
        for one in prepared.values():
            one.run(inputs)
    return {
        "settings": settings,
        "conditions": {**before, "load_after": os.getloadavg()[0]},
        "result": {gate: one.result() for gate, one in prepared.items()},
    }


def print_table(path):
    """A row for each measurement: seconds of each gate, and its share of the paper's product."""
    print(f"| | bits | units | {' | '.join(GATES)} |\n|---|---:|---:|{'---:|' * len(GATES)}")
    for run in _sorted(path):
        settings, result = run["settings"], run["result"]
        what = f"layer, {settings['timesteps']} steps" if settings["timesteps"] else "gate"
        base = statistics.median(result[BASE]["seconds"])
        cells = []
        for gate in GATES:
            if gate not in result:
                cells.append("too wide")
                continue
            seconds = statistics.median(result[gate]["seconds"])
            cells.append(f"{seconds:.2f} s, {seconds / base:.0%}, {result[gate]['pbs']} PBS")
        print(f"| {what} | {settings['bits']} | {settings['units']} | {' | '.join(cells)} |")


def _sorted(path):
    def key(run):
        settings = run["settings"]
        return settings["timesteps"], settings["units"], settings["bits"]

    return sorted(recorded(path).values(), key=key)


def plot(path, image):
    """Seconds by bits: a row for the gate and one for the layer, a panel for each size."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels = {}
    for run in _sorted(path):
        settings = run["settings"]
        panels.setdefault((settings["timesteps"], settings["units"]), []).append(run)
    rows, columns = (sorted({key[axis] for key in panels}) for axis in (0, 1))
    figure, axes = plt.subplots(
        len(rows),
        len(columns),
        figsize=(3.4 * len(columns), 2.8 * len(rows)),
        squeeze=False,
        sharex=True,
        sharey=True,
    )
    for (timesteps, units), runs in panels.items():
        axis = axes[rows.index(timesteps), columns.index(units)]
        for gate in GATES:
            measured = [run for run in runs if gate in run["result"]]
            axis.plot(
                [run["settings"]["bits"] for run in measured],
                [statistics.median(run["result"][gate]["seconds"]) for run in measured],
                "o-" if gate.startswith("add") else "x--",
                label=gate,
            )
        what = f"layer, {timesteps} steps" if timesteps else "gate"
        axis.set(title=f"{what}, {units} {'unit' if units == 1 else 'units'}", yscale="log")
        axis.xaxis.get_major_locator().set_params(integer=True)
    for axis in axes[-1]:
        axis.set_xlabel("bits")
    for axis in axes[:, 0]:
        axis.set_ylabel("seconds, encrypted")
    axes[0, 0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(image, dpi=110)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--bits", nargs="*", type=int, default=[3, 4, 5, 6, 7, 8], help="from 3 on")
    add("--units", nargs="*", type=int, default=[1, 4, 8])
    add("--what", nargs="*", choices=["gate", "layer"], default=["gate", "layer"])
    add("--timesteps", type=int, default=4, help="of the layer")
    add("--repeats", type=int, default=5)
    add("--file", type=pathlib.Path, default=RESULTS)
    add("--table", action="store_true", help="print what the file holds")
    add("--plot", type=pathlib.Path, help="draw what the file holds")
    options = parser.parse_args(arguments)
    if options.table or options.plot:
        if options.plot:
            plot(options.file, options.plot)
        return options.table and print_table(options.file)
    for what in options.what:
        for bits in options.bits:
            for units in options.units:
                timesteps = options.timesteps if what == "layer" else 0
                settings = {"bits": bits, "units": units, "timesteps": timesteps}
                if key_of(settings) in recorded(options.file):
                    continue
                run = measure(settings, options.repeats)
                record(options.file, run)
                medians = {
                    gate: round(statistics.median(result["seconds"]), 3)
                    for gate, result in run["result"].items()
                }
                print(settings, medians, flush=True)


if __name__ == "__main__":
    main()
