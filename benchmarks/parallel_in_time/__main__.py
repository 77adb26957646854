"""MinAddGRU beside minGRU, QRNN and the layers that go through time step by step.

Long adding problems, MNIST pixel by pixel, MNIST by rows for 50 epochs, and parity, which a layer
that is monotone in its state cannot tell. A run takes one thread some minutes, the longest half an
hour.

    python -m benchmarks.parallel_in_time                    # the tables of what is recorded
    python -m benchmarks.parallel_in_time --run --data-dir DIR
    python -m benchmarks.parallel_in_time --run --match task=adding T=1000
"""

from benchmarks._harness import machine
from benchmarks._harness.experiment import Experiment
from benchmarks.parallel_in_time import plan, report, tasks


def run(settings, options, keep):
    machine.use_threads(1)
    keep(settings, tasks.run(settings, options.data_dir))


EXPERIMENT = Experiment(__doc__, "parallel_in_time", plan.plan, run, report.tables)

if __name__ == "__main__":
    EXPERIMENT.main()
