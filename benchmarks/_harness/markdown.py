"""Tables in Markdown."""


def lines(columns, rows, text=None):
    """The lines of a table, each as soon as `rows` gives it.

    The first `text` columns, or all, stand left, and numbers stand right.
    """
    text = len(columns) if text is None else text
    yield _row(columns)
    yield "|" + "---|" * text + "---:|" * (len(columns) - text)
    yield from map(_row, rows)


def table(columns, rows, text=None):
    """A whole table, see `lines`."""
    return "\n".join(lines(columns, rows, text)) + "\n"


def _row(cells):
    return f"| {' | '.join(map(str, cells))} |"
