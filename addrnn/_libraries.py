"""Where the compiled libraries are, what to do where they are not, and which kernels they run."""

import os
import pathlib

_PACKAGE = pathlib.Path(__file__).parent

TENSORFLOW_OP = _PACKAGE / "_lib" / "libaddrnn_tf.so"
LITERT_DELEGATE = _PACKAGE / "_lib" / "libaddrnn_delegate.so"
# setup.py writes it where it builds no libraries: why, and what to do.
NOT_BUILT = _PACKAGE / "_lib" / "not_built.txt"


def remedy() -> str:
    """One or two sentences for a library that is missing or does not load."""
    if NOT_BUILT.is_file():
        return NOT_BUILT.read_text().strip()
    root = _PACKAGE.parent
    if (root / "setup.py").is_file():
        return f"Run `make setup` in {root}; or start Python elsewhere, to use what is installed."
    return "Reinstall keras_addrnn."


def check_instruction_set(available: list[str]) -> None:
    """Checks that the environment variable `KERAS_ADDRNN_ISA` is unset or one of `available`.

    Raises:
        ValueError: It is another one.
    """
    requested = os.environ.get("KERAS_ADDRNN_ISA")
    if requested and requested not in available:
        raise ValueError(
            f"The environment variable KERAS_ADDRNN_ISA is {requested!r}, which this machine or "
            f"this build does not have. Expected one of {available}, or leave it unset."
        )
