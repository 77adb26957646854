"""The command line of a demonstration: what is wrong is told in one line."""

import argparse
import os
import pathlib
import sys

OUTPUT = pathlib.Path(os.path.relpath(pathlib.Path(__file__).resolve().parents[1])) / "output"


class Parser(argparse.ArgumentParser):
    """Takes its help from a module's docstring, and reports an error in one line."""

    def __init__(self, doc):
        summary, _, story = doc.partition("\n\n")
        super().__init__(
            description=summary,
            epilog=story,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message):
        self.fail(f"{message} (--help lists the options)")

    def fail(self, message):
        """Ends the program where the options are right, but the files they name are not."""
        self.exit(2, f"{self.prog}: error: {message}\n")

    def require_tensorflow(self):
        """LiteRT files are written by TensorFlow."""
        if os.environ["KERAS_BACKEND"] != "tensorflow":
            self.error(
                f"this example ends in LiteRT and needs KERAS_BACKEND=tensorflow, got "
                f"'{os.environ['KERAS_BACKEND']}'"
            )

    def add_output(self, name, what):
        """Adds `--output`, a folder of `examples/output`, which is made if it is not there."""
        self.add_argument(
            "--output",
            type=_folder,
            default=str(OUTPUT / name),
            metavar="DIR",
            help=f"where to write {what} (examples/output/{name})",
        )


def _folder(text):
    folder = pathlib.Path(text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot use '{folder}': {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise argparse.ArgumentTypeError(f"cannot write in '{folder}'")
    return folder


def run(main):
    """Runs a demonstration; Ctrl-C ends it with one line and the status that shells expect."""
    try:
        main()
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)


def integer(low, high=None):
    """A type for `add_argument`: an integer from `low` to `high`."""

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


def epochs(count):
    """A number of epochs in words."""
    return f"{count} epoch" if count == 1 else f"{count} epochs"
