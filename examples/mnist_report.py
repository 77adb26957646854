"""What the MNIST example shows at the end: tables and the learning curves."""

import command_line
import matplotlib

matplotlib.use("Agg")  # no display needed

import matplotlib.pyplot as plt
import numpy as np

from addrnn._atomic_file import replacing


def table(runs, fused_op):
    """The runs as a Markdown table; `fused_op` says whether AddGRU's are run by it."""
    rows = [("network", "test accuracy", "s / epoch", "parameters", "fused op")]
    for run in runs:
        rows.append(
            (
                run.name,
                f"{100 * run.history['val_accuracy'][-1]:.2f} %",
                f"{run.seconds_per_epoch:.2f}",
                f"{run.model.count_params():,}",
                "yes" if fused_op and run.name.startswith("AddGRU") else "no",
            )
        )
    return command_line.markdown(rows)


def litert_table(files, answers):
    """The converted models as a Markdown table, and why those that are missing are."""
    rows = [("LiteRT file", "kB", "test accuracy", "same class as Keras", "µs a digit")]
    for file in files:
        if file.name not in answers:
            rows.append((file.name, "-", "-", "-", "-"))
            continue
        answer = answers[file.name]
        rows.append(
            (
                file.name,
                f"{len(file.content) / 1000:.0f}",
                f"{100 * answer.accuracy:.2f} %",
                f"{100 * answer.same_class:.2f} %",
                f"{1e6 * answer.seconds_per_digit:.0f}",
            )
        )
    why_not = [f"\n{file.name}: {file.why_not}" for file in files if file.why_not]
    return command_line.markdown(rows) + "".join(why_not)


def integers(found):
    """Two lines about the integer model, from what `mnist_integer.compare` returns."""
    share = found.bytes / found.bytes_of_floats
    return (
        f"           {100 * found.accuracy:.2f} % of the test digits right, the same class as "
        f"Keras for {100 * found.same_class:.2f} %\n"
        f"           {found.bytes / 1000:.0f} kB, {100 * share:.0f} % of the float weights; "
        f"{1e6 * found.seconds_per_digit:.0f} µs a digit, without TensorFlow"
    )


def save_curves(runs, path, title):
    """Draws the loss over the epochs and the accuracy over the seconds of training, as a PNG."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for number, run in enumerate(runs):
        epochs = np.arange(1, len(run.history["loss"]) + 1)
        color = f"C{number}"
        left.plot(epochs, run.history["loss"], ".--", color=color, alpha=0.6)
        left.plot(epochs, run.history["val_loss"], ".-", color=color, label=run.name)
        right.plot(
            np.cumsum(run.history["seconds"]),
            100 * np.array(run.history["val_accuracy"]),
            ".-",
            color=color,
            label=run.name,
        )
    left.set(xlabel="epoch", ylabel="loss (cross-entropy)", yscale="log")
    left.set_title("loss: test (solid), training (dashed)", fontsize="medium")
    left.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    longest = max(len(run.history["loss"]) for run in runs)
    left.set_xlim(0.5, longest + 0.5)  # one epoch has its place too
    right.set(xlabel="seconds of training", ylabel="test accuracy (%)")
    right.set_title("test accuracy after each epoch", fontsize="medium")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle(title)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
    plt.close(figure)
