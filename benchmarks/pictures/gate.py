"""What the gate does to a state over time, by real layers of one unit."""

import textwrap

import numpy as np

import keras_addrnn as ka
from benchmarks._harness import plots
from benchmarks.pictures import style

# The update gate in each stretch of time, in words too, what it does, and the candidates. All are
# multiples of 1/4, so that every implementation gives the same states.
STRETCHES = (
    (0.0, "u = 0", "add", (0, 0, 1, 0, 0, 0.5, 0, 0)),
    (3.0, "u large", "keep", (0, 0, 1, 0, 0, 1.25, 0, 0)),
    (-0.25, "u below 0", "fade", (0, 0, 0, 0, 0.75, 0, 0, 0)),
    (-3.0, "u far below 0", "replace", (0.5, 1.25, 1, 1.5, 0.25, 0.5, 1.25, 0.75)),
)
GATES = np.concatenate([np.full(len(values), gate) for gate, *_, values in STRETCHES])
CANDIDATES = np.concatenate([values for *_, values in STRETCHES])


def states(layer):
    """The state after each step. The layer's inputs are its update gate and its candidate."""
    inputs = np.stack([GATES, CANDIDATES], axis=-1)[np.newaxis].astype("float32")
    layer.build(inputs.shape)
    kernel, *recurrent_kernel = layer.get_weights()
    layer.set_weights(
        [np.eye(2).reshape(kernel.shape), *(0 * weights for weights in recurrent_kernel)]
    )
    return np.asarray(layer(inputs))[0, :, 0]


def draw(narrow=False):
    settings = {"return_sequences": True, "use_bias": False, "scale_inputs": False}
    found = {
        "AddGRU": states(ka.AddGRU(1, **settings)),
        "MinAddGRU": states(ka.MinAddGRU(1, kernel_size=1, **settings)),
    }
    made, ((top,), (bottom,)) = plots.figure(
        2,
        1,
        (style.NARROW if narrow else 9, 2),
        sharex=True,
        height_ratios=(1, 1.5),
        layout="constrained",
    )
    steps = np.arange(len(GATES))
    top.bar(steps, CANDIDATES, width=0.35, color=style.FAINT)
    top.set(ylabel="candidate", ylim=(0, 2.1), yticks=(0, 1))
    for name, line in found.items():
        bottom.step(steps, line, where="mid", color=style.COLORS[name], linewidth=2.4, label=name)
    bottom.set(
        ylabel="state",
        xlabel="step",
        ylim=(0, 2.3 if narrow else 1.9),
        yticks=(0, 1),
        xlim=(-0.5, 31.5),
    )
    bottom.legend(loc="upper right", ncols=1 if narrow else 2)
    start = 0
    for _, where, does, values in STRETCHES:
        title = "\n".join([*textwrap.wrap(where, 9), does]) if narrow else f"{where}: {does}"
        top.text(start + 3.5, 2.1, title, ha="center", va="bottom", weight="bold")
        start += len(values)
        if start < len(GATES):
            for axes in (top, bottom):
                axes.axvline(start - 0.5, color=style.FAINT, linewidth=0.8, linestyle=":")
    return made
