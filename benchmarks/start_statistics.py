"""What GRU and AddGRU compute before they have learnt anything, for inputs of all sizes.

Two bidirectional layers of 64 units read random sequences of 16 features, as a stack does whose
factors the first batch has set. The inputs' root mean square goes from 0.001 to 100. An embedding
of Keras begins near 0.03, standardized features have 1.

    python -m benchmarks.start_statistics    # the table and the plot; a minute
"""

import keras
import numpy as np

import keras_addrnn as ka
from benchmarks._harness import machine, markdown, page, plots
from benchmarks._tasks import state_statistics

BATCH, STEPS, FEATURES, UNITS = 32, 400, 16, 64
SIZES = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2)
LAYERS = {
    "GRU": keras.layers.GRU,
    "AddGRU, scale_inputs=False": lambda units, **more: ka.AddGRU(
        units, scale_inputs=False, **more
    ),
    "AddGRU": ka.AddGRU,
}
MOVED = 0.1  # what 100 steps of Adam(1e-3) move a bias, at most


def root_mean_square(values, **options):
    return np.sqrt(np.mean(np.square(values, dtype="float64"), **options))


def measure(make, size):
    """A dict of numbers, and the states' size after each step of the first layer."""
    keras.utils.set_random_seed(0)
    first, second = (make(UNITS, return_sequences=True) for _ in range(2))
    inputs = keras.Input((STEPS, FEATURES))
    hidden = keras.layers.Bidirectional(first)(inputs)
    model = keras.Model(inputs, [hidden, keras.layers.Bidirectional(second)(hidden)])
    x = np.random.default_rng(0).normal(0, size, (BATCH, STEPS, FEATURES)).astype("float32")
    model(x, training=True)
    outputs, outputs_of_second = (np.asarray(each) for each in model(x))
    cell = model.layers[1].forward_layer.cell
    kernel = cell.scaled_kernel() if hasattr(cell, "scaled_kernel") else cell.kernel
    # The update gate has the first columns, in both layers.
    gates = x @ np.asarray(kernel)[:, :UNITS]
    forward = outputs[..., :UNITS]
    correlation, common = state_statistics.statistics(forward, steps=10)
    found = {
        "gate": root_mean_square(gates),
        "first": root_mean_square(outputs),
        "second": root_mean_square(outputs_of_second),
        "common": common,
        "correlation": correlation,
    }
    return found, root_mean_square(forward, axis=(0, 2))


def table(found):
    columns = ("layer", "inputs", "update gate", "first outputs", "second outputs")
    columns += ("common part of the first", "correlation over 10 steps")
    rows = []
    for (name, size), (numbers, _) in found.items():
        sizes = (f"{numbers[each]:.3g}" for each in ("gate", "first", "second"))
        shares = (f"{numbers[each]:.2f}" for each in ("common", "correlation"))
        rows.append((name, f"{size:g}", *sizes, *shares))
    about = (
        "Root mean squares at the start. The common part is the share of the outputs' mean square "
        "that is the same for all sequences and steps.\n\n"
    )
    return about + markdown.table(columns, rows, text=1)


def plot(found):
    made, (axes,) = plots.figure(1, 3, size=(4.6, 3.6))
    for name in LAYERS:
        numbers = [found[name, size][0] for size in SIZES]
        (line,) = axes[0].loglog(SIZES, [each["gate"] for each in numbers], "o-", label=name)
        color = line.get_color()
        axes[1].loglog(SIZES, [each["first"] for each in numbers], "o-", color=color)
        axes[1].loglog(SIZES, [each["second"] for each in numbers], "s:", color=color)
        axes[2].plot(found[name, 1.0][1], color=color)
    axes[0].axhline(MOVED, color="gray", linewidth=0.8)
    axes[0].text(
        100, MOVED / 1.9, "100 steps of Adam move a bias", color="gray", fontsize=8, ha="right"
    )
    axes[0].set(title="update gates", xlabel="inputs", ylabel="root mean square")
    axes[1].set(title="outputs of the first layer (—) and second (···)", xlabel="inputs")
    axes[2].set(title="states, inputs of size 1", xlabel="step", ylim=(0, None))
    axes[1].title.set_fontsize(9)
    axes[0].legend(fontsize=7)
    made.tight_layout()
    return made


def main():
    page.documented(__doc__).parse_args()
    found = {(name, size): measure(LAYERS[name], size) for name in LAYERS for size in SIZES}
    text = table(found)
    print(text)
    page.write(machine.RESULTS / "start_statistics.md", text)
    plots.save(plot(found), machine.RESULTS / "start_statistics.png")


if __name__ == "__main__":
    main()
