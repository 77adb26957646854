"""AddGRU and MinAddGRU beside other layers: Keras', XLA, JAX, PyTorch, ONNX Runtime.

For each shape all layers take turns, so that a busy machine is as busy for each. The table holds
medians in ms and, in brackets, how many times as long as AddGRU the layer takes.

    python -m benchmarks.layers                      # two short shapes, Keras' layers only
    python -m benchmarks.layers --all --peers        # the standard shapes, and every peer
    python -m benchmarks.layers --threads 1
"""

import functools
import statistics
import time

from benchmarks import _peers as peers
from benchmarks._harness import machine, markdown, page, workers

# (batch, time, inputs, units)
ALL = [
    (64, 28, 28, 128),
    (64, 32, 64, 128),
    (32, 200, 256, 512),
    (1, 100, 40, 128),
    (1, 100, 256, 512),
]
SHORT = [ALL[0], ALL[3]]
COLUMNS = ("forward", "forward + backward")


def layers_for(shape, threads, all_peers):
    """Name, framework and maker of each layer, AddGRU's first."""
    keras = functools.partial(functools.partial, peers.keras_layer)
    yield "AddGRU", "tensorflow", keras("AddGRU")
    if shape[0] == 1:
        # What a row costs depends on how many states are zero: as in a trained model, and none.
        for name, density in (("27 % not zero", 0.27), ("none zero", 1.0)):
            make = functools.partial(peers.add_gru_with_density, density=density)
            yield f"AddGRU, {name}", "tensorflow", make
            make = functools.partial(peers.core_with_density, density=density, threads=threads)
            yield f"AddGRU's core, {name}", "core", make
    for name, recurrence in (("AddGRU", "add_gru"), ("MinAddGRU", "min_add_gru")):
        make = functools.partial(peers.core, recurrence, threads=threads)
        yield f"{name}'s core", "core", make
    yield "nothing, in TensorFlow", "tensorflow", peers.nothing
    yield "AddGRU composed", "tensorflow", keras("AddGRU", implementation="composed")
    yield "RNN(AddGRUCell)", "tensorflow", keras("AddGRUCell")
    yield "MinAddGRU", "tensorflow", keras("MinAddGRU")
    yield "MinAddGRU, kernel_size 1", "tensorflow", keras("MinAddGRU", kernel_size=1)
    yield "MinAddGRU composed", "tensorflow", keras("MinAddGRU", implementation="composed")
    yield "GRU", "tensorflow", keras("GRU")
    yield "RNN(GRUCell)", "tensorflow", keras("GRUCell")
    yield "LSTM", "tensorflow", keras("LSTM")
    if all_peers:
        for name in ("AddGRU", "MinAddGRU", "GRU"):
            yield f"{name}, XLA", "tensorflow", keras(name, jit_compile=True)
        of_one = {"kernel_size": 1}
        for name in ("AddGRU", "MinAddGRU", "GRU"):
            yield f"{name}, JAX", "jax", functools.partial(peers.jax_layer, name)
        make = functools.partial(peers.jax_layer, "MinAddGRU", **of_one)
        yield "MinAddGRU, kernel_size 1, JAX", "jax", make
        for name in ("AddGRU", "MinAddGRU"):
            make = functools.partial(peers.jax_layer, name, implementation="composed")
            yield f"{name} composed, JAX", "jax", make
        for name in ("AddGRU", "MinAddGRU"):
            yield f"{name}, PyTorch", "torch", functools.partial(peers.torch_layer, name)
        make = functools.partial(peers.torch_layer, "MinAddGRU", **of_one)
        yield "MinAddGRU, kernel_size 1, PyTorch", "torch", make
        yield "PyTorch GRU", "torch", functools.partial(peers.torch_layer, "GRU")
        yield "PyTorch LSTM", "torch", functools.partial(peers.torch_layer, "LSTM")
        yield "ONNX Runtime GRU", "onnx", functools.partial(peers.onnx_gru, threads=threads)


def measure(shape, processes, options):
    """The rows of the table for one shape."""
    layers = list(layers_for(shape, options.threads, options.peers))
    turns = sorted(layers, key=lambda layer: layer[1])  # fewer changes of the process
    times = {name: ([], []) for name, _, _ in layers}  # of each column
    missing = {}
    end = time.perf_counter() + options.seconds
    rounds, last = 0, None
    while rounds < 3 or time.perf_counter() < end:
        rounds += 1
        for name, framework, make in turns:
            if name in missing:
                continue
            if last not in (None, framework):
                workers.rest()
            last = framework
            try:
                for column, found in enumerate(times[name]):
                    found += processes[framework].times(make, shape, column, 0.05)
            except ImportError as error:
                missing[name] = str(error)
    units = [statistics.median(found) for found in times["AddGRU"]]
    for name, _, _ in layers:
        if name in missing:
            yield str(shape), name, f"NOT RUN: {missing[name]}", ""
            continue
        cells = []
        for found, unit in zip(times[name], units, strict=True):
            ms = statistics.median(found or [0])
            cells.append(f"{ms:.2f} ({ms / unit:.1f})" if found else "")
        yield str(shape), name, *cells


def main(arguments=None):
    parser = page.parser(__doc__, seconds=5, threads=True)
    parser.add_argument("--all", action="store_true", help="all standard shapes (minutes)")
    parser.add_argument("--peers", action="store_true", help="XLA, JAX, PyTorch, ONNX Runtime too")
    options = parser.parse_args(arguments)
    threads = options.threads

    start = {"tensorflow": machine.use_threads, "core": None}
    if options.peers:
        start |= {"jax": workers.start_jax, "torch": workers.start_torch, "onnx": None}
    processes = {name: workers.Worker(begin, threads) for name, begin in start.items()}

    about = (
        f"{machine.description()}, {threads} thread{'s' if threads > 1 else ''}. "
        "Medians in ms; in brackets: times as long as AddGRU."
    )
    shapes = ALL if options.all else SHORT
    rows = (row for shape in shapes for row in measure(shape, processes, options))
    table = markdown.lines(("(B, T, D, H)", "layer", *COLUMNS), rows, text=2)
    page.publish(f"layers_{threads}", options, about, table)


if __name__ == "__main__":
    main()
