"""Memory that a training step takes on top of weights, inputs and the frameworks themselves.

Each layer trains in a process of its own; the peak is the system's (VmHWM), reset before the step.

    python benchmarks/memory.py
    python benchmarks/memory.py --shape 64 200 64 256 --write benchmarks/results/memory.md
"""

import argparse
import multiprocessing

import workers


def _status(field):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field):
                return 1024 * int(line.split()[1])
    raise OSError(f"/proc/self/status has no {field}: this benchmark needs Linux")


def peak(name, shape, pipe):
    """Sends the bytes that gradients of the layer's weights take on top."""
    workers.start_tensorflow(threads=2)
    import peers

    small = getattr(peers, name)((2, 2, *shape[2:]))[1]
    small()  # what is loaded and allocated once
    train = getattr(peers, name)(shape)[1]
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = _status("VmRSS")
    for _ in range(3):
        train()
    pipe.send(_status("VmHWM") - before)


def in_a_process(name, shape):
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=peak, args=(name, shape, there))
    process.start()
    there.close()
    try:
        return here.recv()
    finally:
        process.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shape", type=int, nargs=4, default=(64, 200, 64, 256), metavar=("B", "T", "D", "H")
    )
    parser.add_argument("--write", metavar="FILE", help="also write the table there")
    options = parser.parse_args()
    shape = tuple(options.shape)
    names = {
        "AddGRU": "add_gru",
        "AddGRU composed": "add_gru_composed",
        "GRU": "gru",
        "GRU, XLA": "gru_xla",
        "LSTM": "lstm",
    }
    peaks = {label: in_a_process(name, shape) for label, name in names.items()}

    from machine import description, write

    cells = shape[0] * shape[1] * shape[3]
    lines = [
        f"{description()}. Forward and gradients of the weights, (B, T, D, H) = {shape}. "
        f"The states that are the layer's output take {4 * cells / 1e6:.1f} MB of it.",
        "",
        "| layer | peak, MB | of GRU's | bytes per unit and step |",
        "|---|---:|---:|---:|",
    ]
    for label, size in peaks.items():
        share = size / peaks["GRU"]
        lines.append(f"| {label} | {size / 1e6:.1f} | {share:.0%} | {size / cells:.1f} |")
    print("\n".join(lines))
    if options.write:
        write(options.write, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
