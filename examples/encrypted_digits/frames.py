"""What goes through the pipes between the server and a worker: a kind and some bytes."""

import struct

HEAD = struct.Struct("<8sQ")  # kind, length of what follows


def write(file, kind, content=b""):
    file.write(HEAD.pack(kind, len(content)))
    file.write(content)
    file.flush()


def read(file):
    """The next kind and content; None at the end of the file."""
    head = file.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    kind, length = HEAD.unpack(head)
    return kind.rstrip(b"\x00"), file.read(length)


async def read_stream(reader):
    """Likewise from an `asyncio.StreamReader`, which raises `IncompleteReadError` at the end."""
    kind, length = HEAD.unpack(await reader.readexactly(HEAD.size))
    return kind.rstrip(b"\x00"), await reader.readexactly(length)
