"""The claims of the paper: tables and plots from the recorded runs; what is missing, run.

Without `--run` it makes the tables and the plots of docs/results from what is recorded;
nothing is trained. With `--run` it first trains what is not recorded, in the order of plan.py, and
appends each result to the records at once. What was interrupted goes on.

    python -m benchmarks.paper_experiments
    python -m benchmarks.paper_experiments --run --data-dir DIR           # many hours
    python -m benchmarks.paper_experiments --run --match task=adding seed=0
    python -m benchmarks.paper_experiments --run --match task=mnist order=rows 'layer=GRU$' \\
        --data-dir DIR
"""

from benchmarks._harness import machine
from benchmarks._harness.experiment import Experiment
from benchmarks.paper_experiments import plan, plots, report, runs


def run(settings, options, keep):
    machine.use_threads(1)
    runs.TASKS[settings["task"]](settings, options, keep)


EXPERIMENT = Experiment(
    __doc__, "paper_experiments", plan.everything, run, report.tables, plots.plots, plan.lines
)

if __name__ == "__main__":
    EXPERIMENT.main()
