"""The side that computes on what it cannot read: it holds the circuit and evaluation keys."""

import dataclasses

from addrnn.fhe import _messages
from addrnn.fhe._interface import Interface
from addrnn.fhe._library import concrete
from addrnn.fhe._sizes import Sizes


@dataclasses.dataclass(frozen=True)
class LoadedKeys:
    """Evaluation keys of one client, as `Server.load_keys` returns them."""

    id: bytes
    keys: object


class Server:
    """Evaluates one circuit. Made by `Server.load`.

    Messages are checked as far as their kind, circuit, keys and size go. What is inside is read by
    concrete-python, and bytes made to do harm can end the process there. So a server that takes
    them from a network evaluates in another process, as `examples/encrypted_digits` does.

    Attributes:
        interface: The `Interface` of the circuit.
        sizes: The `Sizes` of its keys and ciphertexts.
    """

    def __init__(self, path):
        self.interface = Interface.load(path)
        self.sizes = Sizes.load(path)
        self._server = concrete().Server.load(path)

    @classmethod
    def load(cls, path):
        """Reads the `server.zip` that `EncryptedModel.save` has written.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is something else, damaged, or of another version.
        """
        return cls(path)

    def load_keys(self, message):
        """Reads what `Client.evaluation_keys` returned.

        Raises:
            ValueError: It is something else, of another circuit, or damaged.
        """
        key_id, (part,) = self._unpack("keys", message, self.sizes.keys)
        return LoadedKeys(key_id, self._deserialized(concrete().EvaluationKeys, part, "keys"))

    def run(self, message, keys):
        """Evaluates the circuit. The first time with some keys it takes seconds to expand them.

        Args:
            message: Bytes, as `Client.encrypt` returned them.
            keys: What `load_keys` returned for the same client.

        Returns:
            Bytes for `Client.decrypt`.

        Raises:
            ValueError: The message is something else, of another circuit, encrypted under other
                keys, or damaged.
        """
        key_id, parts = self._unpack("input", message, self.sizes.input)
        if key_id != keys.id:
            raise ValueError(
                "This is encrypted under other keys than the evaluation keys: both must come from "
                "the same client."
            )
        values = [self._deserialized(concrete().Value, part, "input") for part in parts]
        try:
            outputs = self._server.run(*values, evaluation_keys=keys.keys)
        except RuntimeError as error:
            raise ValueError(f"The circuit cannot be evaluated on this: {error}") from error
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        parts = [output.serialize() for output in outputs]
        return _messages.pack("output", self.interface.circuit_id, key_id, parts)

    def _unpack(self, kind, message, sizes):
        return _messages.unpack(kind, message, self.interface.circuit_id, sizes)

    @staticmethod
    def _deserialized(what, part, kind):
        try:
            return what.deserialize(part)
        except RuntimeError as error:
            raise ValueError(f"Expected {_messages.KINDS[kind]}, but: {error}") from error
