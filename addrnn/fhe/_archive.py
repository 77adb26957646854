"""Reads `client.zip` and `server.zip`, and hands concrete-python the bytes that were checked."""

import hashlib
import pathlib
import re
import tempfile
from os import PathLike
from typing import Any

from addrnn import _validation


def read(path: str | PathLike[str], sha256: str | None = None) -> bytes:
    """The bytes of a file.

    Raises a `ValueError` if a SHA-256 is given, and the file has another one.
    """
    if sha256 is not None:
        sha256 = _validation.text("sha256", sha256).lower()
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise _validation.value_error("sha256", "be 64 hexadecimal digits", repr(sha256))
    content = pathlib.Path(path).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if sha256 not in (None, digest):
        raise _validation.value_error(
            "sha256",
            f"be the SHA-256 of '{path}', which is {digest}",
            sha256,
            "Do not load this file unless you know who made it.",
        )
    return content


def load(content: bytes, library_class: Any) -> Any:
    """concrete-python's `Client` or `Server` of an archive.

    concrete-python reads files alone. So it gets a file of our own with these bytes, and cannot
    load others than the ones that were checked.
    """
    with tempfile.TemporaryDirectory(prefix="addrnn.fhe.") as directory:
        copy = pathlib.Path(directory) / "archive.zip"
        copy.write_bytes(content)
        return library_class.load(copy)
