"""Evaluates for one client, in a process of its own that the server starts.

concrete-python reads keys and ciphertexts in C++, which hostile bytes can crash. Here that ends the
work for the client that sent them, and nothing else.

Requests come on standard input, and answers go to a file descriptor in the arguments. Each is a
head (kind and length) and that many bytes. The progress bar of concrete-python goes to standard
output.
"""

import os
import resource
import struct
import sys

from addrnn import fhe

HEAD = struct.Struct("<8sQ")

# A message can claim to be huge. Allocations beyond this fail.
_MEMORY = 16 << 30


def main(path, descriptor, sha256=None):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    requests = os.fdopen(0, "rb")
    answers = os.fdopen(int(descriptor), "wb")

    def answer(kind, content=b""):
        answers.write(HEAD.pack(kind, len(content)) + content)
        answers.flush()

    server = fhe.Server.load(path, sha256)
    keys = None
    answer(b"ready")
    while head := requests.read(HEAD.size):
        kind, length = HEAD.unpack(head)
        message = requests.read(length)
        try:
            if kind.rstrip(b"\0") == b"keys":
                keys = server.load_keys(message)
                answer(b"done")
            else:
                answer(b"done", server.run(message, keys))
        except ValueError as error:
            answer(b"refused", str(error).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
