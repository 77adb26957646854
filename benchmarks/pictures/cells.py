"""The cells of GRU, AddGRU and MinAddGRU, drawn alike."""

from matplotlib.patches import Circle, FancyBboxPatch

from benchmarks.pictures import style

PRODUCT, SUM = style.COLORS["product"], style.COLORS["AddGRU"]
STATE_Y, BRANCH_Y, GATE_Y, BUS_Y = 6.6, 4.5, 2.5, 0.75
KEEP_X, WRITE_X, RESET_X = 4.3, 7.6, 1.6
SMALL = 9.5
LINE = {"color": style.INK, "linewidth": 1.2, "zorder": 1}


def draw(narrow=False):
    """One panel for each cell, drawn alike, so that what differs can be seen."""
    made, (gru, add, least) = style.panels(3, (3.7, 3.5), narrow)
    for axes, title in zip((gru, add, least), ("GRU", "AddGRU", "MinAddGRU"), strict=True):
        axes.set(xlim=(0, 10), ylim=(-0.3, 8.5), title=title)
        axes.set_axis_off()
    _gru(gru)
    _add_gru(add)
    _min_add_gru(least)
    return made


def _gru(axes):
    _state(axes, "×", "+", PRODUCT, SUM)
    _bus(axes, "$x_t$ and $h_{t-1}$", (RESET_X, KEEP_X, WRITE_X), from_state=True)
    _box(axes, RESET_X, GATE_Y, "σ", PRODUCT, "reset")
    _box(axes, KEEP_X, GATE_Y, "σ", PRODUCT, "update")
    _box(axes, WRITE_X, GATE_Y, "tanh", PRODUCT, "candidate")
    # The reset gate has a say in the candidate alone.
    between, above = (KEEP_X + WRITE_X) / 2, GATE_Y + 0.95
    _dot(axes, between, BUS_Y, "×", PRODUCT)
    axes.plot((RESET_X, RESET_X, between), (GATE_Y + 0.5, above, above), **LINE)
    _arrow(axes, (between, above), (between, BUS_Y + 0.4))
    _arrow(axes, (KEEP_X, GATE_Y + 0.55), (KEEP_X, STATE_Y - 0.4))
    _dot(axes, WRITE_X, BRANCH_Y, "×", PRODUCT)
    _arrow(axes, (WRITE_X, GATE_Y + 0.55), (WRITE_X, BRANCH_Y - 0.4))
    _arrow(axes, (KEEP_X, BRANCH_Y), (WRITE_X - 0.4, BRANCH_Y))
    axes.text(5.75, BRANCH_Y + 0.2, "1 − update", ha="center", fontsize=SMALL)
    _arrow(axes, (WRITE_X, BRANCH_Y + 0.4), (WRITE_X, STATE_Y - 0.4))
    _caption(axes, "3 sigmoids or tanh, and 3 products,\nfor each unit and step")


def _add_gru(axes):
    _adding(axes, "+")
    _bus(axes, "$x_t$ and $h_{t-1}$", (KEEP_X, WRITE_X), from_state=True)
    _caption(axes, "ReLUs and additions alone")


def _min_add_gru(axes):
    _adding(axes, "max")
    _bus(axes, "the inputs $x_{t-2}$, $x_{t-1}$, $x_t$", (KEEP_X, WRITE_X), from_state=False)
    _caption(axes, "the same, and all steps at once")


def _adding(axes, together):
    _state(axes, "−", together, SUM, SUM)
    _box(axes, KEEP_X, GATE_Y, "u", SUM, "update, linear")
    _box(axes, WRITE_X, GATE_Y, "ReLU", SUM, "candidate")
    _arrow(axes, (KEEP_X, GATE_Y + 0.55), (KEEP_X, STATE_Y - 0.4))
    axes.text(KEEP_X - 0.2, 5.55, "ReLU(−u)", ha="right", va="center", fontsize=SMALL)
    _dot(axes, WRITE_X, BRANCH_Y, "−", SUM)
    _arrow(axes, (WRITE_X, GATE_Y + 0.55), (WRITE_X, BRANCH_Y - 0.4))
    _arrow(axes, (KEEP_X, BRANCH_Y), (WRITE_X - 0.4, BRANCH_Y))
    axes.text(5.75, BRANCH_Y + 0.2, "ReLU(u)", ha="center", fontsize=SMALL)
    _arrow(axes, (WRITE_X, BRANCH_Y + 0.4), (WRITE_X, STATE_Y - 0.4))
    axes.text(WRITE_X + 0.2, 5.5, "ReLU", va="center", fontsize=SMALL)
    axes.text(5.95, STATE_Y + 0.2, "ReLU", ha="center", fontsize=SMALL)


def _state(axes, keep, together, keep_color, together_color):
    """The lane of the state: what is kept of it, and how the candidate comes in."""
    axes.text(0.1, STATE_Y, "$h_{t-1}$", va="center", fontsize=12)
    _arrow(axes, (1.2, STATE_Y), (KEEP_X - 0.4, STATE_Y))
    _dot(axes, KEEP_X, STATE_Y, keep, keep_color)
    _arrow(axes, (KEEP_X + 0.4, STATE_Y), (WRITE_X - 0.5, STATE_Y))
    _dot(axes, WRITE_X, STATE_Y, together, together_color)
    _arrow(axes, (WRITE_X + 0.5, STATE_Y), (9.2, STATE_Y))
    axes.text(9.3, STATE_Y, "$h_t$", va="center", fontsize=12)


def _bus(axes, label, targets, from_state):
    """What the gates read, each by a matrix of its own."""
    start = 0.6
    axes.plot((start, targets[-1]), (BUS_Y, BUS_Y), **LINE)
    axes.text(start, 0.25, label, va="top", fontsize=10)
    for x in targets:
        _arrow(axes, (x, BUS_Y), (x, GATE_Y - 0.55))
    if from_state:
        axes.plot((start, start), (BUS_Y, STATE_Y - 0.45), **LINE)


def _box(axes, x, y, text, color, name):
    axes.add_patch(
        FancyBboxPatch(
            (x - 0.75, y - 0.45),
            1.5,
            0.9,
            boxstyle="round,pad=0.05",
            facecolor=color,
            edgecolor="none",
            zorder=2,
        )
    )
    axes.text(x, y, text, color="white", ha="center", va="center", zorder=3, weight="bold")
    axes.text(x + 0.15, y - 0.75, name, ha="left", va="center", fontsize=SMALL, color=style.FAINT)


def _dot(axes, x, y, text, color):
    radius = 0.5 if len(text) > 1 else 0.4
    axes.add_patch(Circle((x, y), radius, facecolor=color, edgecolor="none", zorder=2))
    size = SMALL if len(text) > 1 else 13
    axes.text(x, y, text, color="white", ha="center", va="center_baseline", fontsize=size, zorder=3)


def _arrow(axes, start, end):
    arrow = {"arrowstyle": "-|>", "color": style.INK, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=arrow, zorder=1)


def _caption(axes, text):
    axes.text(5, 8, text, ha="center", va="center", fontsize=10, color=style.FAINT)
