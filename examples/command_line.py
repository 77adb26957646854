"""What the examples' command lines share."""

import argparse


class Parser(argparse.ArgumentParser):
    """A parser whose help is the script's docstring, and whose errors are one line."""

    def __init__(self, docstring):
        summary, _, story = docstring.partition("\n\n")
        super().__init__(
            description=summary,
            epilog=story,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message} (--help lists the options)\n")


def integer(low, high=None):
    """The `type` of an argument that is an integer from `low` to `high`."""

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
