"""The command `keras-addrnn`."""

import argparse

import keras_addrnn


def main(arguments=None):
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="keras-addrnn", description="Addition-gated recurrent layers for Keras."
    )
    parser.add_argument("--version", action="version", version=keras_addrnn.__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("info", help="which implementation is used on this machine, and why")
    parser.parse_args(arguments)
    try:
        _print_info()
    except (ImportError, ValueError) as error:  # no backend, or a setting that is not possible
        parser.exit(1, f"{parser.prog}: {error}\n")
    return 0


def _print_info():
    found = keras_addrnn.info()
    width = max(map(len, found))
    for name, value in found.items():
        if isinstance(value, list):
            value = ", ".join(value)
        print(f"{name:{width}}  {'-' if value is None else value}")
