"""What client and server send to one another: bytes that say what they are.

In front of what concrete-python serializes stands a head: which kind of message it is, for which
circuit, and with which keys it was made. So what does not belong here is refused before the library
sees it, as it would end the process for some of it.
"""

import struct

_HEAD = struct.Struct("<8s16s32s16sQ")  # magic, kind, circuit, keys, number of parts
_LENGTH = struct.Struct("<Q")
_MAGIC = b"addrnn\x00\x01"

KEY_ID_BYTES = 16
# What concrete-python writes around the numbers of each part: some hundreds of bytes.
_AROUND = 16 * 1024

KINDS = {
    "keys": "evaluation keys",
    "input": "an encrypted input",
    "output": "an encrypted output",
}


def pack(kind, circuit_id, key_id, parts):
    """A message.

    Args:
        kind: One of `KINDS`.
        circuit_id: Hexadecimal, of an `Interface`.
        key_id: Bytes, the number of the keys, drawn when they were made.
        parts: Bytes objects, as concrete-python has serialized them.
    """
    head = _HEAD.pack(_MAGIC, kind.encode(), bytes.fromhex(circuit_id), key_id, len(parts))
    return b"".join([head, *(_LENGTH.pack(len(part)) + part for part in parts)])


def unpack(kind, message, circuit_id, sizes):
    """The number of the keys, and the parts.

    Args:
        kind: The kind that is expected.
        message: Bytes from anywhere.
        circuit_id: The circuit that is expected.
        sizes: For each part, how many bytes its numbers take.

    Raises:
        ValueError: The message is something else, of another circuit, cut off or too long.
    """
    what = KINDS[kind]
    if len(message) < _HEAD.size or not bytes(message).startswith(_MAGIC):
        raise ValueError(f"This is not {what} of addrnn.fhe: {len(message)} bytes.")
    _, received, circuit, key_id, count = _HEAD.unpack_from(message)
    received = received.rstrip(b"\x00").decode("ascii", "replace")
    if received != kind:
        raise ValueError(f"Expected {what}. Received: {KINDS.get(received, 'something else')}")
    if circuit.hex() != circuit_id:
        raise ValueError(
            f"Expected {what} for the circuit {circuit_id[:12]}. Received: for "
            f"{circuit.hex()[:12]}. Load the client.zip that was saved with this server.zip."
        )
    parts, at = [], _HEAD.size
    while at + _LENGTH.size <= len(message) and len(parts) < len(sizes):
        (length,) = _LENGTH.unpack_from(message, at)
        at += _LENGTH.size
        parts.append(bytes(message[at : at + length]))
        at += length
    fits = all(
        size <= len(part) <= size + _AROUND for part, size in zip(parts, sizes, strict=False)
    )
    if not (fits and len(parts) == count == len(sizes) and at == len(message)):
        raise ValueError(
            f"Expected {what}, about {sum(sizes)} bytes. Received: {len(message)} bytes, which is "
            "cut off, too long or damaged."
        )
    return key_id, parts


def largest(sizes):
    """The most bytes that `unpack` takes."""
    return _HEAD.size + sum(_LENGTH.size + size + _AROUND for size in sizes)
