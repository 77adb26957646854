"""Evaluates for one client, in a process of its own that the server starts.

concrete-python reads keys and ciphertexts in C++, which hostile bytes can crash. Here that ends the
work for the client that sent them, and nothing else. Its progress bar goes to standard output.
"""

import resource
import sys
from multiprocessing.connection import Connection

from addrnn import fhe

# A message can claim to be huge. Allocations beyond this fail.
_MEMORY = 16 << 30


def main(descriptor, path, sha256=None):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    server, keys, answer = fhe.Server.load(path, sha256), None, b""
    pipe = Connection(int(descriptor))
    pipe.send_bytes(b"done")
    pipe.send_bytes(answer)
    while True:
        try:
            kind, message = pipe.recv_bytes(), pipe.recv_bytes()
        except EOFError:
            return
        try:
            if kind == b"keys":
                keys = server.load_keys(message)
            else:
                answer = server.run(message, keys)
        except ValueError as error:
            pipe.send_bytes(b"refused")
            pipe.send_bytes(str(error).encode())
        else:
            pipe.send_bytes(b"done")
            pipe.send_bytes(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
