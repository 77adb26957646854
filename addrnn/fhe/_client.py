"""The side that holds the secret key: encrypts what goes to a server, decrypts what comes back."""

import secrets

from addrnn.fhe import _messages
from addrnn.fhe._interface import Interface
from addrnn.fhe._library import concrete
from addrnn.fhe._sizes import Sizes


class Client:
    """Encrypts for one circuit. Made by `Client.load`.

    The secret key is made when it is first needed, some seconds' work, and stays in the memory of
    this process: no method gives it out or writes it.

    Attributes:
        interface: The `Interface` of the circuit.
        sizes: The `Sizes` of its keys and ciphertexts.
    """

    def __init__(self, path):
        self.interface = Interface.load(path)
        self.sizes = Sizes.load(path)
        self._client = concrete().Client.load(path)
        self._key_id = secrets.token_bytes(_messages.KEY_ID_BYTES)

    @classmethod
    def load(cls, path):
        """Reads the `client.zip` that `EncryptedModel.save` has written.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is something else, damaged, or of another version.
        """
        return cls(path)

    def evaluation_keys(self):
        """The keys that a server computes with and cannot decrypt with, compressed: bytes."""
        keys = self._client.evaluation_keys.serialize()
        return self._pack("keys", [keys])

    def encrypt(self, inputs):
        """Encrypts one sequence of integers `[T, D]` to bytes, other bytes each time.

        Raises:
            TypeError: `inputs` are not integers.
            ValueError: A shape or a value is not allowed.
        """
        value = self._client.encrypt(self.interface.checked(inputs))
        return self._pack("input", [value.serialize()])

    def decrypt(self, message):
        """Decrypts what a server returned.

        Args:
            message: Bytes, as `Server.run` returns them.

        Returns:
            Integers, int64, of the shape `interface.output_shape`; `interface.output_scale` is the
            real number that 1 stands for.

        Raises:
            ValueError: It is not an encrypted output of this circuit under the keys of this client.
        """
        sizes = self.sizes.output
        key_id, parts = _messages.unpack("output", message, self.interface.circuit_id, sizes)
        if key_id != self._key_id:
            raise ValueError("This is encrypted under other keys than those of this client.")
        try:
            values = [concrete().Value.deserialize(part) for part in parts]
            outputs = self._client.decrypt(*values)
        except RuntimeError as error:
            raise ValueError(f"Expected {_messages.KINDS['output']}, but: {error}") from error
        return self.interface.joined(outputs)

    def _pack(self, kind, parts):
        return _messages.pack(kind, self.interface.circuit_id, self._key_id, parts)
