"""Evaluates for one client, in a process of its own that the server starts.

The library that reads keys and ciphertexts ends the process on some of what can be sent to it. Here
that ends the work for the client that sent it, and nothing else.

Requests come on standard input and answers go to the file descriptor in the arguments, both as
`encrypted_digits.frames` writes them; the library's bar of progress goes to standard output.
"""

import os
import resource
import sys

from addrnn import fhe
from encrypted_digits import frames

# Sizes in what is sent are not believed: what they ask for beyond this is not given.
_MEMORY = 16 << 30


def main(path, descriptor):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    requests = os.fdopen(0, "rb")
    answers = os.fdopen(int(descriptor), "wb")
    server = fhe.Server.load(path)
    keys = None
    frames.write(answers, b"ready")
    while request := frames.read(requests):
        kind, message = request
        try:
            if kind == b"keys":
                keys = server.load_keys(message)
                answer = b""
            else:
                answer = server.run(message, keys)
        except ValueError as error:
            frames.write(answers, b"refused", str(error).encode())
        else:
            frames.write(answers, b"done", answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
