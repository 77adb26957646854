"""Charts of recorded numbers."""

import statistics

from benchmarks.pictures import records, style

MARKERS = "osD^v<>"
NETWORKS = {
    "GRU": "GRU(128)",
    "LSTM": "LSTM(128)",
    "AddGRU": "AddGRU(128)",
    "MinAddGRU": "MinAddGRU(128)",
    "MinAddGRU, two layers": "two MinAddGRU(128)",
}


def summary(narrow=False):
    """Time, memory and accuracy beside GRU and LSTM, with their range over machines."""
    made, (time, peak, wrong) = style.panels(3, (3.05, 2.5), narrow, sharey=True)
    digits = records.mnist().values()
    seconds = {
        name: [found[network].share for found in digits if network in found]
        for name, network in NETWORKS.items()
    }
    _bars(time, seconds, "GRU = 1", "{:.2f}")
    _bars(peak, _peaks(NETWORKS), "GRU = 1", "{:.2f}")
    errors = {
        name: [found[network].error for found in digits if network in found]
        for name, network in NETWORKS.items()
    }
    _bars(wrong, errors, "% after 5 epochs", "{:.1f} %")
    time.set_title("Time of an epoch")
    peak.set_title("Memory of a step")
    wrong.set_title("Digits read wrongly")
    return made


def _peaks(layers):
    found = records.memory().values()
    return {name: [peak[name] for peak in found if name in peak] for name in layers}


def _bars(axes, numbers, label, form):
    """The mean over machines, a line from the least to the greatest, and the mean in figures."""
    for at, (name, values) in enumerate(numbers.items()):
        if not values:
            axes.text(0, at, " NOT RUN", va="center", fontsize=9.5, color=style.FAINT)
            continue
        low, mean, high = min(values), statistics.mean(values), max(values)
        axes.barh(
            at, mean, color=style.COLORS[name.partition(",")[0].partition(" ")[0]], height=0.7
        )
        axes.plot((low, high), (at, at), color=style.INK, linewidth=1.6)
        axes.text(high, at, " " + form.format(mean), va="center", fontsize=9.5)
    axes.set_xlabel(label, fontsize=9.5)
    axes.set_yticks(range(len(numbers)), numbers)
    axes.set_ylim(len(numbers) - 0.4, -0.6)  # the first on top
    axes.margins(x=0.16)


def speed(narrow=False):
    """How many times as fast a training step and a live sequence are, on one thread."""
    made, (training, stream) = style.panels(2, (5.2, 3.7), narrow)
    _by_shape(training, records.BATCHES, "training", narrow)
    style.title(training, "Training step, one thread", narrow)
    training.set_ylabel("times as fast as Keras' GRU")
    _by_shape(stream, records.STREAMS, "forward", narrow)
    style.title(stream, "One sequence, forward, one thread", narrow)
    style.legend_below(made, stream, narrow)
    training.text(-0.45, 1.02, "GRU", color=style.FAINT, fontsize=9, va="bottom")
    return made


def _by_shape(axes, shapes, passes, narrow):
    for shift, layer in ((-0.14, "AddGRU"), (0.14, "MinAddGRU")):
        for marker, (machine, found) in zip(
            MARKERS, records.ratios("GRU", layer, shapes, passes).items(), strict=False
        ):
            places = [at + shift for at in range(len(shapes))]
            label = f"{layer}, {records.NAMES.get(machine, machine)}"
            color = style.COLORS[layer]
            axes.plot(places, found, marker, color=color, label=label, markersize=7)
    axes.axhline(1, color=style.COLORS["GRU"], linewidth=1.2)
    axes.set_yscale("log")
    ticks = (1, 2, 4, 8, 16, 32)
    axes.set_yticks(ticks, ticks)
    axes.minorticks_off()
    axes.set_ylim(0.85, 40)
    style.shape_ticks(axes, shapes, narrow)


def kernels(narrow=False):
    """The share of the hardware's ceiling that the core reaches on one thread, undisturbed."""
    passes = ("forward", "forward + backward")
    made, panels = style.panels(2, (5.2, 3.4), narrow, sharey=True)
    colors = {"avx512": "AddGRU", "avx2": "MinAddGRU", "baseline": "GRU"}
    names = {"avx512": "AVX-512", "avx2": "AVX2", "baseline": "plain x86-64"}
    for marker, (machine, path) in zip(MARKERS, records.pages("core_shares").items(), strict=False):
        found = records.shares(path)
        for shift, instructions in zip((-0.2, 0, 0.2), colors, strict=True):
            for axes, each in zip(panels, passes, strict=True):
                percent = found.get((instructions, each), ())
                places = [at + shift for at in range(len(percent))]
                processor = records.NAMES.get(machine, machine).removesuffix(", AVX-512")
                label = f"{names[instructions]}, {processor}" if percent else None
                color = style.COLORS[colors[instructions]]
                axes.plot(places, percent, marker, color=color, label=label, markersize=7)
    for axes, title in zip(panels, ("Forward", "Forward + backward"), strict=True):
        axes.set(title=title, ylim=(0, 100))
        style.shape_ticks(axes, records.BATCHES, narrow)
    panels[0].set_ylabel("% of the ceiling, one thread")
    style.legend_below(made, panels[0], narrow)
    return made


def swap(narrow=False):
    """The error of each task of `benchmarks.swap`, beside GRU's."""
    found = records.swap()
    made, (axes,) = style.panels(1, (8.6, 4.4), narrow)
    order = sorted(found, key=lambda task: found[task]["AddGRU"], reverse=True)
    looks = {
        "LSTM": ("s", style.COLORS["LSTM"]),
        "AddGRU": ("o", style.COLORS["AddGRU"]),
        "MinAddGRU, two layers": ("D", style.COLORS["MinAddGRU"]),
    }
    for name, (marker, color) in looks.items():
        places = [found[task][name] for task in order]
        axes.plot(places, range(len(order)), marker, color=color, markersize=8, label=name)
    axes.axvline(1, color=style.FAINT, linewidth=1.2)
    axes.set_yticks(range(len(order)), [task.replace("_", " ") for task in order])
    axes.set_xlabel("error / GRU's: left of 1 is better", fontsize=9.5)
    axes.set_xlim(-0.05, 1.6)
    style.title(axes, "Another layer in GRU's place, nothing else changed", narrow)
    axes.grid(axis="y", color="#e6eaec")
    axes.set_axisbelow(True)
    style.legend_below(made, axes, narrow)
    return made


def memory(narrow=False):
    """The peak of a training step."""
    made, (axes,) = style.panels(1, (7, 2.2), narrow)
    title = "Memory of a training step, (64, 200, 64, 256)"
    layers = ("LSTM", "GRU", "GRU, XLA", "AddGRU composed", "MinAddGRU composed")
    _bars(axes, _peaks((*layers, "MinAddGRU", "AddGRU")), "GRU = 1", "{:.2f}")
    style.title(axes, title, narrow)
    return made


def litert(narrow=False):
    """A call of LiteRT, beside GRU's, for one sequence."""
    shapes = ("(1, 28, 28, 128)", "(1, 100, 40, 128)", "(1, 100, 256, 512)")
    looks = {
        "AddGRU, builtin": ("o", style.COLORS["AddGRU"]),
        "AddGRU, fused": ("s", style.COLORS["AddGRU"]),
        "MinAddGRU, builtin": ("o", style.COLORS["MinAddGRU"]),
        "MinAddGRU, fused": ("s", style.COLORS["MinAddGRU"]),
    }
    pages = records.pages("litert_latency")
    made, panels = style.panels(len(pages), (5.4, 3.2), narrow, sharey=True)
    for axes, (machine, path) in zip(panels, pages.items(), strict=True):
        found = records.litert(path)
        for shift, (layer, (marker, color)) in zip(
            (-0.2, -0.1, 0.1, 0.2), looks.items(), strict=True
        ):
            if (shapes[0], layer) not in found:
                continue
            places = [at + shift for at in range(len(shapes))]
            faster = [found[shape, "GRU"] / found[shape, layer] for shape in shapes]
            axes.plot(places, faster, marker, color=color, markersize=8, label=layer)
        axes.axhline(1, color=style.COLORS["GRU"], linewidth=1.2)
        style.shape_ticks(axes, shapes, narrow)
        axes.set(title=records.NAMES.get(machine, machine), ylim=(0, 9))
    panels[0].set_ylabel("times as fast as GRU, float32")
    style.legend_below(made, panels[-1], narrow)
    return made
