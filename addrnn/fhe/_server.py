"""The server holds the circuit and evaluation keys. It computes, and cannot decrypt."""

import dataclasses
from os import PathLike
from typing import Any

from addrnn.fhe import _archive, _messages
from addrnn.fhe._circuit_spec import CircuitSpec
from addrnn.fhe._concrete import concrete, running
from addrnn.fhe._messages import Position

_STATE = "Give the state that `run_step` returned for the step before."


@dataclasses.dataclass(frozen=True)
class EvaluationKeys:
    """Evaluation keys of one client, as `Server.load_keys` returns them.

    Args:
        id: The identifier of the client's keys, 16 bytes, which each message carries.
        keys: concrete-python's own object.
    """

    id: bytes
    keys: Any


class Server:
    """Evaluates one circuit. `Server.load` makes one.

    It checks the kind, circuit, keys and size of each message. concrete-python reads the rest, and
    hostile bytes can crash the process there. So a server on a network evaluates in another
    process, as `examples/encrypted_digits` does.

    Attributes:
        spec: The `CircuitSpec`.
    """

    def __init__(self, spec: CircuitSpec, server: Any):
        self.spec = spec
        self._server = server

    @classmethod
    def load(cls, path: str | PathLike[str], sha256: str | None = None) -> "Server":
        """Reads the `server.zip` that `EncryptedModel.save` has written, and runs it.

        **The archive is a program.** It holds a shared library, which this process loads, and
        concrete-python unpickles its configuration. So whoever can change the file can run code
        here. Load a file of your own, or one whose digest you have from its maker.

        Args:
            path: Path of the archive.
            sha256: The SHA-256 that `EncryptedModel.save` returned, hexadecimal. An archive with
                another digest is refused before anything of it is used. None loads any archive.

        Raises:
            ImportError: There is no concrete-python, or the process has imported TensorFlow before.
            FileNotFoundError: There is no such file.
            ValueError: It is something else, damaged, of another version or of another digest.
        """
        content = _archive.read(path, sha256)
        spec = CircuitSpec.from_bytes(content, path)
        return cls(spec, _archive.load(content, concrete().Server))

    def load_keys(self, message: bytes) -> EvaluationKeys:
        """Reads what `Client.evaluation_keys` returned.

        Raises:
            ValueError: It is something else, of another circuit, or damaged.
        """
        key_id, (part,) = self.spec.unpack("keys", message)
        with _messages.library_errors("keys"):
            return EvaluationKeys(key_id, concrete().EvaluationKeys.deserialize(part))

    def run(self, message: bytes, keys: EvaluationKeys) -> bytes:
        """Evaluates the circuit. The first run with some keys expands them, which takes seconds.

        Args:
            message: What `Client.encrypt` returned.
            keys: What `load_keys` returned for the same client.

        Returns:
            Bytes for `Client.decrypt`.

        Raises:
            ValueError: The message is something else, of another circuit, encrypted under other
                keys, or damaged; or the circuit is one step of a stream.
        """
        if self.spec.max_steps:
            raise ValueError("This circuit is one step of a stream. Use `run_step`.")
        key_id, parts = self.spec.unpack("input", message)
        outputs = self._run(key_id, parts, keys)
        return self.spec.pack("output", key_id, outputs)

    def run_step(
        self, message: bytes, keys: EvaluationKeys, state: bytes | None = None
    ) -> tuple[bytes, bytes]:
        """Evaluates one step of a stream.

        Args:
            message: What `ClientStream.encrypt` returned.
            keys: What `load_keys` returned for the same client.
            state: What this method returned for the step before; None for the first step.

        Returns:
            Bytes for `ClientStream.decrypt`, and the state for the next step, encrypted.

        Raises:
            ValueError: A message is something else, of another circuit, client, stream or step,
                or damaged; the stream is longer than `spec.max_steps`; or the circuit takes whole
                sequences.
        """
        if not self.spec.max_steps:
            raise ValueError("This circuit takes whole sequences. Use `run`.")
        key_id, position, parts = self.spec.unpack_step("input", message, first=state is None)
        expected = Position(position.stream, 0)
        if state is not None:
            state_key_id, expected, state_parts = self.spec.unpack_step("state", state)
            if state_key_id != key_id:
                raise ValueError(f"The state is of another client than the input. {_STATE}")
            parts += state_parts
        if position.stream != expected.stream:
            raise ValueError(f"The state is of another stream than the input. {_STATE}")
        if position.step != expected.step:
            raise ValueError(
                f"Expected step {expected.step}, which follows the state. Received: step "
                f"{position.step}. {_STATE}"
            )
        self.spec.check_length(position.step + 1)
        outputs, after = self._run(key_id, parts, keys)
        at = position.next().pack()
        answer = self.spec.pack("output", key_id, [at, outputs])
        return answer, self.spec.pack("state", key_id, [at, after])

    def _run(self, key_id: bytes, parts: list[bytes], keys: EvaluationKeys) -> list[bytes]:
        if key_id != keys.id:
            raise ValueError(
                "This is encrypted under other keys than the evaluation keys: both must come from "
                "the same client. Give the keys of the client that encrypted it."
            )
        with _messages.library_errors("input"):
            values = [concrete().Value.deserialize(part) for part in parts]
        try:
            with running():
                outputs = self._server.run(*values, evaluation_keys=keys.keys)
        except RuntimeError as error:
            raise ValueError(
                f"The circuit cannot be evaluated on this input ({error}). Encrypt it anew."
            ) from error
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return [output.serialize() for output in outputs]
