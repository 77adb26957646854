"""One sequence of a client, encrypted step by step."""

from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn.fhe import _messages
from addrnn.fhe._bounds import IntArray
from addrnn.fhe._circuit_spec import CircuitSpec
from addrnn.fhe._concrete import concrete
from addrnn.fhe._messages import Position


class ClientStream:
    """Encrypts the steps of one sequence, in order. `Client.stream` makes one."""

    def __init__(self, spec: CircuitSpec, client: Any, key_id: bytes):
        if not spec.max_steps:
            raise ValueError("This circuit takes whole sequences. Use `Client.encrypt`.")
        self.spec = spec
        self._client, self._key_id = client, key_id
        self._next = Position.new()

    def encrypt(self, inputs: npt.ArrayLike) -> bytes:
        """Encrypts the integers `[D]` of the next step; the first brings an encrypted state along.

        Returns:
            Bytes for `Server.run_step`.

        Raises:
            TypeError: `inputs` are not integers.
            ValueError: A shape or a value is not allowed, or the sequence is longer than
                `spec.max_steps`. Nothing is encrypted then.
        """
        self.spec.check_length(self._next.step + 1)
        step = self.spec.check_step(inputs)
        values = [self._client.encrypt(step, None)[0]]
        if self._next.step == 0:
            values.append(self._client.encrypt(None, np.zeros(self.spec.units, np.int64))[1])
        parts = [self._next.pack(), *(value.serialize() for value in values)]
        self._next = self._next.next()
        return self.spec.pack("input", self._key_id, parts)

    def decrypt(self, message: bytes) -> IntArray:
        """Decrypts the outputs after some step of this sequence.

        Args:
            message: The first of the two that `Server.run_step` returned.

        Returns:
            Integers of the shape `spec.output_shape`. Times `spec.output_scale` they are the real
            outputs.

        Raises:
            ValueError: It is something else, of another client or of another sequence.
        """
        key_id, position, parts = self.spec.unpack_step("output", message)
        _messages.check_client(key_id, self._key_id)
        if position.stream != self._next.stream or not 0 < position.step <= self._next.step:
            raise ValueError(
                "This output is of another stream. Decrypt it by the one that encrypted its inputs."
            )
        with _messages.library_errors("output"):
            outputs = self._client.decrypt(concrete().Value.deserialize(parts[0]))
        return self.spec.stack_outputs(outputs)
