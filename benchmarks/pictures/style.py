"""How all pictures look: on white, so that they can be read wherever they are shown."""

INK = "#26343b"
FAINT = "#8a979d"
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
