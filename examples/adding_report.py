"""What the adding problem shows: tables, and the error over the batches."""

import adding_training
import matplotlib

matplotlib.use("Agg")  # no display needed

import matplotlib.pyplot as plt
import numpy as np

from addrnn._atomic_file import replacing

HEAD = (
    "| T | layer | seed | solved after | last error | ms / batch |\n|---:|---|---:|---:|---:|---:|"
)


def exact_table(sums):
    """The errors of the adders set by hand, a row for each and a column for each length."""
    errors = {}
    for each in sums:
        errors.setdefault((each.problem, each.name), {})[each.timesteps] = each.error
    lengths = list(next(iter(errors.values())))
    lines = [
        "| marked values | layer | " + " | ".join(f"T = {length:,}" for length in lengths) + " |",
        "|---|---|" + "---:|" * len(lengths),
    ]
    for names, row in errors.items():
        cells = ["0" if row[length] == 0 else f"{row[length]:.1e}" for length in lengths]
        lines.append(f"| {' | '.join((*names, *cells))} |")
    return "\n".join(lines)


def row(run):
    """One run as a row below `HEAD`."""
    solved = "never" if run.solved_after is None else f"{run.solved_after:,}"
    return (
        f"| {run.timesteps} | {run.layer} | {run.seed} | {solved} | {run.errors[-1]:.4f} | "
        f"{1000 * run.seconds_per_batch:.1f} |"
    )


def save_curves(runs, path):
    """Draws the error over the batches, a panel for each length, as a PNG."""
    lengths = list(dict.fromkeys(run.timesteps for run in runs))
    figure, panels = plt.subplots(
        1, len(lengths), figsize=(1 + 4.5 * len(lengths), 4), layout="constrained", squeeze=False
    )
    colors = {name: f"C{number}" for number, name in enumerate(adding_training.LAYERS)}
    for panel, length in zip(panels[0], lengths, strict=True):
        for run in runs:
            if run.timesteps != length:
                continue
            batches = adding_training.STEPS_PER_EPOCH * np.arange(1, len(run.errors) + 1)
            label = run.layer if run.seed == 0 else None
            panel.plot(batches, run.errors, color=colors[run.layer], label=label)
        panel.axhline(adding_training.SOLVED, color="0.6", linestyle=":")
        panel.set(xlabel="batches", yscale="log", title=f"T = {length}")
        panel.grid(alpha=0.3)
    panels[0][0].set_ylabel("mean squared error on 500 sequences")
    panels[0][0].legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
    plt.close(figure)
