"""A compiled step of an integer model, for sequences whose length is not known beforehand."""

from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn import _validation
from addrnn.fhe._concrete import running
from addrnn.fhe._encrypted_model import EncryptedModel


class EncryptedStream(EncryptedModel):
    """One step, as `addrnn.fhe.compile_stream` returns it. The state stays encrypted between steps.

    It has the methods of `EncryptedModel`, with these differences. `predict` and
    `predict_integers` take sequences of any length up to `spec.max_steps`, and refuse
    `fhe="simulate"` with a ValueError. `encrypt` raises a ValueError and `run` a RuntimeError: they
    are for whole sequences. `Client.stream` and `Server.run_step` take single steps.

    Attributes:
        timesteps: 1, the steps of the circuit.
        spec: The `CircuitSpec`; `spec.max_steps` is the greatest length of a sequence.
    """

    def predict_integers(self, inputs: npt.ArrayLike, fhe: str = "disable") -> npt.NDArray[Any]:
        """The outputs after the last step, from integers `[B, T, D]`, as `IntegerModel.run`.

        Args:
            inputs: Integers `[B, T, D]` within the range that the circuit was compiled for.
            fhe: `"disable"` or `"execute"`: what is simulated cannot be carried on.

        Returns:
            Integers `[B, *spec.output_shape]`, those after the last step.

        Raises:
            TypeError: `inputs` are not integers.
            ValueError: A shape, a value or `fhe` is not allowed, or the sequences are longer than
                `spec.max_steps`.
        """
        _validation.one_of("fhe", fhe, ("disable", "execute"))
        inputs = np.asarray(inputs)
        if inputs.ndim != 3:
            raise _validation.shape_error("inputs", "[B, T, D]", inputs.shape)
        self.spec.check_length(inputs.shape[1])
        sequences = [[self.spec.check_step(step) for step in sequence] for sequence in inputs]
        if fhe == "disable":
            return np.asarray(self.model.run(inputs))
        outputs = []
        for sequence in sequences:
            state = self.circuit.encrypt(None, np.zeros(self.spec.units, np.int64))[1]
            for step in sequence:
                encrypted, _ = self.circuit.encrypt(step, None)
                with running():
                    scores, state = self.circuit.run(encrypted, state)
            outputs.append(self.spec.stack_outputs(self.circuit.decrypt(scores)))
        return np.array(outputs)
