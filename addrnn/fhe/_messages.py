"""Messages between client and server: what concrete-python serializes, behind a header.

The header tells the kind of the message, its circuit and its keys. So a wrong message is refused
before concrete-python reads it, which can end the process on some of them.
"""

import contextlib
import dataclasses
import secrets
import struct
from collections.abc import Iterator, Sequence
from typing import ClassVar

_HEADER = struct.Struct("<8s16s32s16sQ")  # magic, kind, circuit, keys, number of parts
_LENGTH = struct.Struct("<Q")
_MAGIC = b"addrnn\x00\x01"

KEY_ID_BYTES = 16
# concrete-python adds some hundreds of bytes to the numbers of each part.
_PART_OVERHEAD = 16 * 1024

KINDS = {
    "keys": "evaluation keys",
    "input": "an encrypted input",
    "output": "an encrypted output",
    "state": "an encrypted state",
}
_MADE_BY = {
    "keys": "`Client.evaluation_keys` makes them.",
    "input": "The client's `encrypt` makes one.",
    "output": "The server's `run` or `run_step` makes one.",
    "state": "`Server.run_step` makes one.",
}


def pack(kind: str, circuit_id: str, key_id: bytes, parts: Sequence[bytes]) -> bytes:
    """A message of what concrete-python has serialized; the identifiers tell circuit and keys."""
    header = _HEADER.pack(_MAGIC, kind.encode(), bytes.fromhex(circuit_id), key_id, len(parts))
    return b"".join([header, *(_LENGTH.pack(len(part)) + part for part in parts)])


def unpack(
    kind: str, message: bytes, circuit_id: str, sizes: Sequence[int], miscounted: str = ""
) -> tuple[bytes, list[bytes]]:
    """The identifier of the keys, and the parts, of a message from anywhere.

    `sizes` are the bytes of the numbers of each part. `miscounted` says what to do where there are
    more parts or less. Raises a `ValueError` if the message is something else, of another circuit,
    truncated or too long.
    """
    expected = KINDS[kind]
    if len(message) < _HEADER.size or not bytes(message).startswith(_MAGIC):
        raise ValueError(
            f"Expected {expected} of addrnn.fhe. Received: {len(message)} bytes of something else. "
            f"{_MADE_BY[kind]}"
        )
    _, received, circuit, key_id, count = _HEADER.unpack_from(message)
    received = received.rstrip(b"\x00").decode("ascii", "replace")
    if received != kind:
        raise ValueError(
            f"Expected {expected}. Received: {KINDS.get(received, 'something else')}. "
            f"{_MADE_BY[kind]}"
        )
    if circuit.hex() != circuit_id:
        raise ValueError(
            f"Expected {expected} for the circuit {circuit_id[:12]}. Received: for "
            f"{circuit.hex()[:12]}. Load the client.zip that was saved with this server.zip."
        )
    if miscounted and count != len(sizes):
        raise ValueError(
            f"Expected {expected} of {len(sizes)} parts. Received: {count} parts. {miscounted}"
        )
    parts: list[bytes] = []
    at = _HEADER.size
    while at + _LENGTH.size <= len(message) and len(parts) < len(sizes):
        (length,) = _LENGTH.unpack_from(message, at)
        at += _LENGTH.size
        parts.append(bytes(message[at : at + length]))
        at += length
    fits = all(
        size <= len(part) <= size + _PART_OVERHEAD for part, size in zip(parts, sizes, strict=False)
    )
    if not (fits and len(parts) == count == len(sizes) and at == len(message)):
        raise ValueError(
            f"Expected {expected}, about {sum(sizes)} bytes. Received: {len(message)} bytes, which "
            "is cut off, too long or damaged. Send it anew."
        )
    return key_id, parts


def max_bytes(sizes: Sequence[int]) -> int:
    """The length of the longest message that `unpack` accepts."""
    return _HEADER.size + sum(_LENGTH.size + size + _PART_OVERHEAD for size in sizes)


def check_client(key_id: bytes, own: bytes) -> None:
    """Raises a `ValueError` if an output is under the keys of another client."""
    if key_id != own:
        raise ValueError(
            "This is encrypted under other keys than those of this client. Decrypt it by the "
            "client that encrypted the input."
        )


@contextlib.contextmanager
def library_errors(kind: str) -> Iterator[None]:
    """Turns what concrete-python raises for a message of a kind into a `ValueError`."""
    try:
        yield
    except RuntimeError as error:
        raise ValueError(
            f"Expected {KINDS[kind]}. Received: bytes that concrete-python refuses ({error}). "
            "Send it anew."
        ) from error


@dataclasses.dataclass(frozen=True)
class Position:
    """Which step of which stream a message is of: the first part of each message of a stream."""

    stream: bytes
    step: int

    SIZE: ClassVar[int] = 24

    @classmethod
    def new(cls) -> "Position":
        """The first step of a new stream."""
        return cls(secrets.token_bytes(16), 0)

    @classmethod
    def unpack(cls, part: bytes) -> "Position":
        if len(part) != cls.SIZE:
            raise ValueError("This message does not tell its step. It is damaged: send it anew.")
        return cls(part[:16], int.from_bytes(part[16:], "little"))

    def pack(self) -> bytes:
        return self.stream + self.step.to_bytes(8, "little")

    def next(self) -> "Position":
        return Position(self.stream, self.step + 1)
