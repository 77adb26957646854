"""The client holds the secret key. It encrypts the inputs of a server, and decrypts its outputs."""

import secrets
from os import PathLike
from typing import Any

import numpy.typing as npt

from addrnn.fhe import _archive, _messages
from addrnn.fhe._bounds import IntArray
from addrnn.fhe._circuit_spec import CircuitSpec
from addrnn.fhe._client_stream import ClientStream
from addrnn.fhe._concrete import concrete


class Client:
    """Encrypts and decrypts for one circuit. `Client.load` makes one.

    The first use of the secret key makes it, which takes seconds. It stays in the memory of this
    process: no method returns or writes it.

    Attributes:
        spec: The `CircuitSpec`.
    """

    def __init__(self, spec: CircuitSpec, client: Any):
        self.spec = spec
        self._client = client
        self._key_id = secrets.token_bytes(_messages.KEY_ID_BYTES)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Client":
        """Reads the `client.zip` that `EncryptedModel.save` has written. It runs nothing of it.

        Raises:
            ImportError: There is no concrete-python, or the process has imported TensorFlow before.
            FileNotFoundError: There is no such file.
            ValueError: It is something else, damaged, or of another version.
        """
        content = _archive.read(path)
        spec = CircuitSpec.from_bytes(content, path)
        return cls(spec, _archive.load(content, concrete().Client))

    def evaluation_keys(self) -> bytes:
        """The compressed keys for a server, which can compute with them and not decrypt.

        Returns:
            Bytes for `Server.load_keys`, often some megabytes.
        """
        return self.spec.pack("keys", self._key_id, [self._client.evaluation_keys.serialize()])

    def encrypt(self, inputs: npt.ArrayLike) -> bytes:
        """Encrypts one sequence of integers `[T, D]`. Each call gives other bytes.

        Returns:
            Bytes for `Server.run`.

        Raises:
            TypeError: `inputs` are not integers.
            ValueError: A shape or a value is not allowed, or the circuit is one step of a stream.
        """
        value = self._client.encrypt(self.spec.check_input(inputs))
        return self.spec.pack("input", self._key_id, [value.serialize()])

    def stream(self) -> ClientStream:
        """A new sequence, encrypted step by step, for a circuit of `compile_stream`.

        Raises:
            ValueError: The circuit takes whole sequences.
        """
        return ClientStream(self.spec, self._client, self._key_id)

    def decrypt(self, message: bytes) -> IntArray:
        """Decrypts the output of a server.

        Args:
            message: What `Server.run` returned.

        Returns:
            Integers of the shape `spec.output_shape`. Times `spec.output_scale` they are the real
            outputs.

        Raises:
            ValueError: It is not an encrypted output of this circuit under the keys of this client.
        """
        key_id, parts = self.spec.unpack("output", message)
        _messages.check_client(key_id, self._key_id)
        with _messages.library_errors("output"):
            values = [concrete().Value.deserialize(part) for part in parts]
            outputs = self._client.decrypt(*values)
        return self.spec.stack_outputs(outputs)
