"""A handwritten digit, recognized by a server that cannot see it.

Without a command it compiles the integer model into a circuit on encrypted numbers. Then it starts
a server and a client as processes of their own, and classifies some of UCI's digits. It compares
the answers with those of the integer model in the clear. It runs in .venv-fhe:
`make demo-encrypted`.

    python examples/encrypted_digits                 # some digits; a minute
    python examples/encrypted_digits --serve         # and then a page on which to draw one
    python examples/encrypted_digits compile         # client.zip and server.zip alone
    python examples/encrypted_digits server SERVER.ZIP --sha256 DIGEST
    python examples/encrypted_digits client CLIENT.ZIP --server http://127.0.0.1:8600
"""

import pathlib
import signal
import sys

# Python put this directory here. The package and its neighbors are in the one above.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from common.command_line import Parser, integer  # noqa: E402

SERVER_PORT, CLIENT_PORT = 8600, 8601


def parse(arguments):
    command = "demo"
    if arguments and not arguments[0].startswith("-"):
        command, *arguments = arguments
    parser = Parser(__doc__)
    add = parser.add_argument
    port = integer(0, 65535)
    if command == "demo":
        add("--digits", type=integer(1, 100), default=3, metavar="N", help="to classify (3)")
        add("--serve", action="store_true", help="leave the page up afterwards, until Ctrl-C")
    elif command == "server":
        add("archive", type=pathlib.Path, metavar="SERVER.ZIP", help="a program: know its maker")
        add("--sha256", metavar="DIGEST", help="of SERVER.ZIP, which is refused if it has another")
        add("--port", type=port, default=SERVER_PORT, help=f"0 for a free one ({SERVER_PORT})")
    elif command == "client":
        add("archive", type=pathlib.Path, metavar="CLIENT.ZIP")
        add("--server", required=True, metavar="URL", help="of the server")
        add("--port", type=port, default=CLIENT_PORT, help=f"0 for a free one ({CLIENT_PORT})")
    elif command != "compile":
        parser.error(f"no command '{command}': compile, server, client, or none")
    if command in ("demo", "compile"):
        parser.add_output("encrypted_digits", "the archives")
    return command, parser.parse_args(arguments), parser


def main(arguments=None):
    command, flags, parser = parse(sys.argv[1:] if arguments is None else arguments)
    # Imported here, since they take seconds: wrong flags are told at once.
    try:
        from encrypted_digits import demo, serving
    except ImportError as error:
        parser.error(f"run it in .venv-fhe, which `make setup-fhe` makes ({error})")
    try:
        if command == "demo":
            # An exception ends the processes that it has started.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
            return 0 if demo.run(flags.digits, flags.output, flags.serve) else 1
        if command == "compile":
            import addrnn

            _, sha256 = demo.compile(addrnn.load(demo.MODEL), flags.output)
            print(f"{flags.output}/client.zip\n{flags.output}/server.zip --sha256 {sha256}")
        elif command == "server":
            from encrypted_digits import server, sessions

            application = server.application(flags.archive, sessions.Limits(), flags.sha256)
            serving.serve(application, flags.port)
        else:
            from encrypted_digits import client, web

            digits = client.DigitClient(flags.archive, flags.server)
            serving.serve(web.application(digits), flags.port)
    except (OSError, ValueError, RuntimeError) as error:
        parser.error(error)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
