"""Tables in Markdown."""


def row(cells):
    return f"| {' | '.join(cells)} |"


def head(columns, text=None):
    """Two lines; the first `text` columns, or all, stand left, and numbers stand right."""
    text = len(columns) if text is None else text
    return [row(columns), "|" + "---|" * text + "---:|" * (len(columns) - text)]


def table(columns, rows, text=None):
    """A whole table, see `head`."""
    return "\n".join([*head(columns, text), *map(row, rows)]) + "\n"
