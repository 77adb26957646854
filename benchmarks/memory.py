"""Memory that a training step takes on top of weights, inputs and the frameworks themselves.

Each layer trains in a process of its own; the peak is the system's (VmHWM), reset before the step.

    python -m benchmarks.memory
    python -m benchmarks.memory --shape 64 200 64 256
"""

import multiprocessing

from benchmarks import _peers as peers
from benchmarks._harness import page, workers

LAYERS = {
    "AddGRU": peers.add_gru,
    "AddGRU composed": peers.add_gru_composed,
    "GRU": peers.gru,
    "GRU, XLA": peers.gru_xla,
    "LSTM": peers.lstm,
}


def _status(field):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field):
                return 1024 * int(line.split()[1])
    raise OSError(f"/proc/self/status has no {field}: this benchmark needs Linux")


def peak(make, shape):
    """The bytes that gradients of the layer's weights take on top."""
    workers.start_tensorflow(threads=2)
    small = make((2, 2, *shape[2:]))[1]
    small()  # what is loaded and allocated once
    train = make(shape)[1]
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = _status("VmRSS")
    for _ in range(3):
        train()
    return _status("VmHWM") - before


def main(arguments=None):
    parser = page.parser(__doc__)
    parser.add_argument(
        "--shape", type=int, nargs=4, default=(64, 200, 64, 256), metavar=("B", "T", "D", "H")
    )
    options = parser.parse_args(arguments)
    shape = tuple(options.shape)
    context = multiprocessing.get_context("spawn")
    peaks = {}
    for name, make in LAYERS.items():
        with context.Pool(1) as pool:
            peaks[name] = pool.apply(peak, (make, shape))

    from benchmarks._harness.machine import description

    cells = shape[0] * shape[1] * shape[3]
    with page.Page("memory", options) as out:
        out.put(
            f"{description()}. Forward and gradients of the weights, (B, T, D, H) = {shape}. "
            f"The states that are the layer's output take {4 * cells / 1e6:.1f} MB of it.",
            "",
        )
        rows = (
            (name, f"{size / 1e6:.1f}", f"{size / peaks['GRU']:.0%}", f"{size / cells:.1f}")
            for name, size in peaks.items()
        )
        out.table(("layer", "peak, MB", "of GRU's", "bytes per unit and step"), rows)


if __name__ == "__main__":
    main()
