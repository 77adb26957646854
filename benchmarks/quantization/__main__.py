"""How many bits does the addition gate need, beside a gate that multiplies, and GRU?

Trains float models, quantizes each at several widths, and trains the quantized ones on.

* mnist: digits read row by row; accuracy on the 10,000 test digits.
* adding: the sum of the two marked values among T; mean squared error on 2,000 sequences.

"Post" is a trained model whose numbers are rounded, "aware" the same model trained on as it
computes in integers. AddGRU's are of `keras_addrnn.quantization`, the others of peers.py. Inputs
have 8 bits.

    python -m benchmarks.quantization                       # the table and the plot
    python -m benchmarks.quantization --run --data-dir DIR  # IDX files of MNIST; hours
    python -m benchmarks.quantization --run --match task=adding layer=GRU
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks._harness.experiment import Experiment
from benchmarks.quantization import report
from benchmarks.quantization.plan import plan


def run(settings, options, keep):
    from benchmarks.quantization import runs

    runs.run(settings, options, keep)


EXPERIMENT = Experiment(
    __doc__,
    "quantization",
    plan,
    run,
    report.tables,
    report.plots,
    mnist=lambda settings: settings["task"] == "mnist",
)

if __name__ == "__main__":
    EXPERIMENT.main()
