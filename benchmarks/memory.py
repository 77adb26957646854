"""Memory that a training step takes on top of weights, inputs and the frameworks themselves.

Each layer trains in a process of its own; the peak is the system's (VmHWM), reset before the step.

    python -m benchmarks.memory
"""

import functools
import multiprocessing

from benchmarks import _peers
from benchmarks._harness import machine, markdown, page

SHAPE = (64, 200, 64, 256)  # batch, time, inputs, units
keras_layer = functools.partial(functools.partial, _peers.keras_layer)
LAYERS = {
    "AddGRU": keras_layer("AddGRU"),
    "AddGRU composed": keras_layer("AddGRU", implementation="composed"),
    "MinAddGRU": keras_layer("MinAddGRU"),
    "MinAddGRU composed": keras_layer("MinAddGRU", implementation="composed"),
    "GRU": keras_layer("GRU"),
    "GRU, XLA": keras_layer("GRU", jit_compile=True),
    "LSTM": keras_layer("LSTM"),
}


def _status(field):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field):
                return 1024 * int(line.split()[1])
    raise OSError(f"/proc/self/status has no {field}: this benchmark needs Linux")


def peak(make, shape):
    """The bytes that gradients of the layer's weights take on top."""
    machine.use_threads(2)
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
    options = page.parser(__doc__).parse_args(arguments)
    context = multiprocessing.get_context("spawn")
    peaks = {}
    for name, make in LAYERS.items():
        with context.Pool(1) as pool:
            peaks[name] = pool.apply(peak, (make, SHAPE))
    cells = SHAPE[0] * SHAPE[1] * SHAPE[3]
    about = (
        f"{machine.description()}. Forward and gradients of the weights, (B, T, D, H) = {SHAPE}. "
        f"The states that are the layer's output take {4 * cells / 1e6:.1f} MB of it."
    )
    rows = (
        (name, f"{size / 1e6:.1f}", f"{size / peaks['GRU']:.0%}", f"{size / cells:.1f}")
        for name, size in peaks.items()
    )
    columns = ("layer", "peak, MB", "of GRU's", "bytes per unit and step")
    page.publish("memory", options, about, markdown.lines(columns, rows, text=1))


if __name__ == "__main__":
    main()
