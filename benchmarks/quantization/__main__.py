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

from benchmarks._harness.experiment import Experiment
from benchmarks.quantization import report, runs
from benchmarks.quantization.plan import plan

EXPERIMENT = Experiment(__doc__, "quantization", plan, runs.run, report.tables, report.plots)

if __name__ == "__main__":
    EXPERIMENT.main()
