"""Someone writes AddGRU for GRU and changes nothing else: what becomes of the error?

Thirteen small tasks, each with the network and the optimizer that a user of Keras would write for
GRU, and three seeds. A run takes one thread a minute, of the words in fonts four or more.

    python -m benchmarks.swap                          # the tables of what is recorded
    python -m benchmarks.swap --run                    # hours
    python -m benchmarks.swap --run --match layer=AddGRU task=adding seed=0

Needs `pip install -r requirements/bench.txt`, and for handwriting_fonts the fonts that
examples/handwriting names. Two processes may share the work: `--match` splits it.
"""

import subprocess

from benchmarks._harness import machine
from benchmarks._harness.experiment import Experiment
from benchmarks.swap import plan, report, tasks


def run(settings, options, keep):
    machine.use_threads(1)
    make = (plan.LAYERS | plan.WINDOWS)[settings["layer"]]
    try:
        result = tasks.run(settings["task"], make, settings["seed"])
    except (ModuleNotFoundError, subprocess.CalledProcessError) as error:
        # A library or the fonts are not there; the other tasks do without.
        print(f"{settings['task']} NOT RUN: {error}", flush=True)
        return
    keep(settings, result)


EXPERIMENT = Experiment(__doc__, "swap", plan.plan, run, report.tables)

if __name__ == "__main__":
    EXPERIMENT.main()
