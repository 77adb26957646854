"""How all pictures look: on white, so that they can be read wherever they are shown.

Each is drawn twice: wide, and narrow for a phone, where its panels are below one another.
"""

from benchmarks._harness import plots

NARROW = 3.7  # inches: the width of a phone's page, so that letters keep their size
INK = "#26343b"
FAINT = "#66747b"
PAPER = "#ffffff"
COLORS = {
    "GRU": "#9aa5ab",
    "LSTM": "#c4ccd0",
    "AddGRU": "#00796b",
    "MinAddGRU": "#e08a1e",
    "product": "#c2453d",
}
SETTINGS = {
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "figure.facecolor": PAPER,
    "font.size": 10.5,
    "legend.frameon": False,
    "svg.hashsalt": "keras_addrnn",  # the same picture gives the same file
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def panels(count, size, narrow, **options):
    """A figure of panels, and their axes. `size` is of one of them."""
    options = {"layout": "constrained", **options}
    if narrow:
        options.pop("sharey", None)
        made, found = plots.figure(count, 1, (NARROW, size[1]), **options)
    else:
        made, found = plots.figure(1, count, size, **options)
    return made, found.ravel()


def legend_below(made, axes, narrow):
    columns = 1 if narrow else 3
    made.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns)


def title(axes, text, narrow):
    if narrow:
        axes.set_title(text.replace(", ", ",\n", 1), loc="right")
    else:
        axes.set_title(text)


def shape_ticks(axes, shapes, narrow):
    """Labels such as (1, 100, 40, 128), on two lines where there is little room."""
    texts = [_on_two_lines(shape) if narrow else shape for shape in shapes]
    axes.set_xticks(range(len(shapes)), texts, fontsize=9)
    axes.set_xlabel("(batch, steps, features, units)", fontsize=9.5)
    axes.set_xlim(-0.5, len(shapes) - 0.5)


def _on_two_lines(shape):
    batch, steps, rest = shape.split(", ", 2)
    return f"{batch}, {steps},\n{rest}"
