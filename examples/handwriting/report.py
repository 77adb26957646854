"""The table and the picture of what the networks read."""

import matplotlib

matplotlib.use("Agg")  # no display needed

import matplotlib.pyplot as plt

ROWS, COLUMNS = 8, 2
DRAWN = ROWS * COLUMNS  # images in a picture


def table(results, recurrent):
    """A Markdown table of what `evaluation.evaluate` says of each network.

    Args:
        results: List of its dicts.
        recurrent: `evaluation.recurrent_milliseconds`'s dict.
    """
    lines = [
        "| layer | CER: greedy, beam | WER: greedy, beam | epochs "
        "| s / epoch | recurrent part, ms / batch | parameters | LiteRT: kB, ms / image, CER |",
        "|---|---|---|---:|---:|---:|---:|---|",
    ]
    for result in results:
        greedy, beam = result["greedy"], result["beam"]
        files = "; ".join(
            f"{form} {one['bytes'] / 1000:,.0f}, {one['milliseconds']:.2f}, {percent(one['cer'])}"
            for form, one in result["litert"].items()
        )
        lines.append(
            f"| {result['layer']} | {percent(greedy['cer'])}, {percent(beam['cer'])} "
            f"| {percent(greedy['wer'])}, {percent(beam['wer'])} | {result['epochs']} "
            f"| {result['seconds_per_epoch']:.1f} | {recurrent[result['layer']]:.0f} "
            f"| {result['parameters']:,} | {files} |"
        )
    return "\n".join(lines) + "\n"


def percent(fraction):
    """As `1.23 %`."""
    return f"{100 * fraction:.2f} %"


def save_picture(path, images, texts, read, title):
    """Draws word images and what each network reads in them, as a PNG.

    Args:
        path: Where to.
        images: `[N, 32, 128, 1]`, of which the first `DRAWN` are drawn.
        texts: List of what they read.
        read: Dict from the layer to the list of what it reads.
        title: Text above.
    """
    figure, axes = plt.subplots(ROWS, COLUMNS, figsize=(11, 9), layout="constrained")
    for place, axis in enumerate(axes.flat):
        axis.axis("off")
        if place >= len(texts):
            continue
        axis.imshow(1 - images[place, :, :, 0], cmap="gray", vmin=0, vmax=1)
        axis.set_title(f"“{texts[place]}”", fontsize="small", loc="left")
        for line, (kind, words) in enumerate(read.items()):
            right = words[place] == texts[place]
            axis.text(
                1.02,
                0.8 - 0.3 * line,
                f"{kind}: {words[place]}",
                transform=axis.transAxes,
                fontsize="small",
                color="black" if right else "C3",
            )
    figure.suptitle(title)
    figure.savefig(path, dpi=110)
    plt.close(figure)
