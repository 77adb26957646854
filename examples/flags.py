"""What the command lines of the examples share."""

import argparse


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, instead of the usage and a line."""

    def __init__(self, doc):
        summary, _, story = doc.partition("\n\n")
        super().__init__(
            description=summary,
            epilog=story,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message} (--help lists the options)\n")


def integer(low, high=None):
    """A `type` of argparse for an integer of at least `low`, and at most `high` if given."""

    def convert(text):
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or number < low or (high is not None and number > high):
            bounds = f"of at least {low}" if high is None else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"expected an integer {bounds}, got '{text}'")
        return number

    return convert
