"""What does a gate cost under encryption that adds, and one that multiplies?

Measures one step of each gate of circuits.py, and a layer over some steps, at several bits and
numbers of units. The gates of one row of the table are compiled, get their keys, and are then run
in turn, so that they share what else the machine does; each result is decrypted and compared with
NumPy's.

Measures in .venv-fhe (`make setup-fhe`); the plot needs .venv:

    .venv-fhe/bin/python -m benchmarks.encrypted_gates --run --match bits=3 units=1
    .venv/bin/python -m benchmarks.encrypted_gates

Each gate's keys stay in memory until its row is done: up to 1 GB at 6 bits, more beyond.
"""

import statistics
import time

import numpy as np

from addrnn.fhe._bounds import lookup_bits
from benchmarks._harness import markdown
from benchmarks._harness.experiment import Experiment
from benchmarks._harness.machine import encryption_conditions
from benchmarks.encrypted_gates import circuits

BASE = "mul, 6 PBS"
GLOBAL_P_ERROR = 1e-4
REPEATS = 3
UNITS = {3: (1, 4, 8), 4: (1, 4, 8), 5: (1, 4, 8), 6: (1, 4, 8), 7: (1, 4), 8: (1,)}  # by the bits
LAYER_BITS, LAYER_STEPS = range(3, 7), 4


def plan():
    """Where there are no timesteps, a gate is measured and not a layer."""
    for timesteps in (0, LAYER_STEPS):
        for bits in LAYER_BITS if timesteps else UNITS:
            for units in UNITS[bits]:
                yield {"bits": bits, "units": units, "timesteps": timesteps}


class Prepared:
    """A circuit with its keys, what it is run on, and its result."""

    def __init__(self, description):
        begin = time.perf_counter()
        circuit = circuits.compiled(description, GLOBAL_P_ERROR)
        compiled = time.perf_counter()
        circuit.keygen()
        self.description, self.circuit = description, circuit
        self.result = {
            "seconds": [],
            "processor_seconds": [],
            "pbs": circuit.programmable_bootstrap_count,
            "table_bits": sorted(lookup_bits(circuit.graph)),
            "complexity": circuit.complexity,
            "p_error": circuit.p_error,
            "key_bytes": circuit.size_of_bootstrap_keys + circuit.size_of_keyswitch_keys,
            "compile_seconds": compiled - begin,
            "key_seconds": time.perf_counter() - compiled,
        }

    def run(self, inputs):
        """One timed run; what is decrypted has to be what NumPy computes."""
        encrypted = self.circuit.encrypt(*inputs)
        processor, begin = time.process_time(), time.perf_counter()
        output = self.circuit.run(encrypted)
        self.result["seconds"].append(time.perf_counter() - begin)
        self.result["processor_seconds"].append(time.process_time() - processor)
        expected = circuits.expected(self.description, inputs)
        np.testing.assert_array_equal(self.circuit.decrypt(output), expected)


def run(settings, options, keep):
    """The results of all gates for one row."""
    kind = circuits.Layer if settings["timesteps"] else circuits.Step
    size = {name: value for name, value in settings.items() if value}
    prepared = {}
    for gate in circuits.GATES:
        try:
            prepared[gate] = Prepared(kind(gate=gate, **size))
        except ValueError as error:  # its look-ups are too wide
            print(f"{gate}: {error}", flush=True)
    rng = np.random.default_rng(1)
    for _ in range(REPEATS):
        inputs = next(iter(prepared.values())).description.draw(rng)
        for one in prepared.values():
            one.run(inputs)
    keep(settings, {gate: one.result for gate, one in prepared.items()})


def _sorted(known):
    def key(line):
        settings = line["settings"]
        return settings["timesteps"], settings["units"], settings["bits"]

    for line in sorted(known.values(), key=key):
        timesteps, units, bits = key(line)
        what = f"layer, {timesteps} steps" if timesteps else "gate"
        yield what, units, bits, line["result"]


def tables(known):
    """A row for each measurement: seconds of each gate, and its share of the paper's product."""

    def cell(result, gate):
        if gate not in result:
            return "too wide"
        base, seconds = (statistics.median(result[each]["seconds"]) for each in (BASE, gate))
        return f"{seconds:.2f} s, {seconds / base:.0%}, {result[gate]['pbs']} PBS"

    rows = [
        (what, bits, units, *(cell(result, gate) for gate in circuits.GATES))
        for what, units, bits, result in _sorted(known)
    ]
    columns = ("measured", "bits", "units", *circuits.GATES)
    return {"encrypted_gates": markdown.table(columns, rows, text=1)}


def plots(known):
    """Seconds by bits: a row for the gate and one for the layer, a panel for each size."""
    from benchmarks._harness import plots

    panels = {}
    for what, units, bits, result in _sorted(known):
        panels.setdefault((what, units), []).append((bits, result))
    rows, columns = (sorted({key[axis] for key in panels}) for axis in (0, 1))
    figure, axes = plots.figure(len(rows), len(columns), (3.4, 2.8), sharex=True, sharey=True)
    for (what, units), results in panels.items():
        axis = axes[rows.index(what), columns.index(units)]
        for gate in circuits.GATES:
            points = [
                (bits, statistics.median(result[gate]["seconds"]))
                for bits, result in results
                if gate in result
            ]
            style = "o-" if gate.startswith("add") else "x--"
            axis.plot(*zip(*points, strict=True), style, label=gate)
        axis.set(title=f"{what}, {units} {'unit' if units == 1 else 'units'}", yscale="log")
        axis.xaxis.get_major_locator().set_params(integer=True)
    for axis in axes[-1]:
        axis.set_xlabel("bits")
    for axis in axes[:, 0]:
        axis.set_ylabel("seconds, encrypted")
    axes[0, 0].legend(fontsize=7)
    figure.tight_layout()
    yield "encrypted_gates", figure


EXPERIMENT = Experiment(
    __doc__,
    "encrypted_gates",
    plan,
    run,
    tables,
    plots,
    timed=True,
    conditions=encryption_conditions,
)

if __name__ == "__main__":
    EXPERIMENT.main()
