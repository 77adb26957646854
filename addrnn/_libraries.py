"""Where the compiled libraries are, and what to do where they are not."""

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
