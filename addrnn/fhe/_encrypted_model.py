"""A compiled integer model: encryption, evaluation and decryption in one process."""

import hashlib
import pathlib
import zipfile
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn import _validation
from addrnn._atomic_file import replacing
from addrnn.fhe import _bounds
from addrnn.fhe._bounds import IntArray
from addrnn.fhe._circuit_spec import CircuitSpec
from addrnn.fhe._concrete import running
from addrnn.fhe._transfer_sizes import TransferSizes
from addrnn.layers import IntegerDense
from addrnn.model import IntegerModel

MODES = "disable", "simulate", "execute"


class EncryptedModel:
    """A compiled model, as `addrnn.fhe.compile` returns it.

    Attributes:
        model: The `IntegerModel`.
        timesteps: The length of the sequences.
        formulation: The formulation of the circuit, an argument of `addrnn.fhe.compile`.
        costs: Dict of each formulation that was compiled, with its estimated cost.
        circuit: The `concrete.fhe.Circuit`.
        spec: The `CircuitSpec`, without the fields that are known when it is saved.
    """

    def __init__(
        self,
        model: IntegerModel,
        timesteps: int,
        input_range: tuple[IntArray, IntArray],
        circuit: Any,
        formulation: str,
        costs: dict[str, float],
        max_steps: int = 0,
    ):
        self.model = model
        self.timesteps = timesteps
        self.circuit = circuit
        self.formulation = formulation
        self.costs = costs
        self.spec = CircuitSpec.from_model(model, timesteps, input_range, max_steps)

    def predict(self, inputs: npt.ArrayLike, fhe: str = "disable") -> npt.NDArray[np.float32]:
        """Outputs of real inputs.

        Args:
            inputs: Real numbers `[B, T, D]`.
            fhe: `"disable"`: the integer model in the clear; `"simulate"`: the circuit in the
                clear, with the errors that encryption would bring; `"execute"`: on encrypted
                numbers, one sequence after another.

        Returns:
            Real numbers, float32, as `IntegerModel.predict` returns them.

        Raises:
            ValueError: A shape, a value, or `fhe` is not allowed.
        """
        integers = self.predict_integers(self.model.inputs.quantize(inputs), fhe)
        return np.asarray(integers * self.model.output_scale, np.float32)

    def predict_integers(self, inputs: npt.ArrayLike, fhe: str = "disable") -> npt.NDArray[Any]:
        """Like `predict`, from integers to integers, as `IntegerModel.run`.

        Args:
            inputs: Integers `[B, T, D]` within the range that the circuit was compiled for.
            fhe: As of `predict`.

        Returns:
            Integers `[B, *spec.output_shape]`.

        Raises:
            TypeError: `inputs` are not integers.
            ValueError: A shape, a value, or `fhe` is not allowed.
        """
        _validation.one_of("fhe", fhe, MODES)
        inputs = np.asarray(inputs)
        if inputs.ndim != 3:
            raise _validation.shape_error("inputs", "[B, T, D]", inputs.shape)
        sequences = [self.spec.check_input(sequence) for sequence in inputs]
        if fhe == "disable":
            return np.asarray(self.model.run(inputs))
        if fhe == "simulate":
            outputs = [self.spec.stack_outputs(self.circuit.simulate(s)) for s in sequences]
        else:
            outputs = [self.decrypt(self.run(self.encrypt(s))) for s in sequences]
        return np.array(outputs).reshape(len(outputs), *self.spec.output_shape)

    def encrypt(self, inputs: npt.ArrayLike) -> Any:
        """Encrypts one sequence of integers `[T, D]`. The first call makes the keys.

        Returns:
            An object of concrete-python, for `run`.

        Raises:
            TypeError: `inputs` are not integers.
            ValueError: A shape or a value is not allowed.
        """
        return self.circuit.encrypt(self.spec.check_input(inputs))

    def run(self, encrypted: Any) -> Any:
        """Evaluates the circuit on what `encrypt` returned."""
        with running():
            return self.circuit.run(encrypted)

    def decrypt(self, encrypted: Any) -> IntArray:
        """Decrypts what `run` returned: integers `[C]`, `[H]`, or with a step axis before."""
        return self.spec.stack_outputs(self.circuit.decrypt(encrypted))

    def save(self, directory: str | PathLike[str]) -> str:
        """Writes `client.zip` and `server.zip`, each whole or not at all.

        `addrnn.fhe.Client` and `Server` load them, without the model and the compiler. Neither
        holds a key. `client.zip` tells the shapes and the bounds of inputs and outputs, and no
        weights.

        Args:
            directory: Path of the directory for both; it is made where it is missing.

        Returns:
            The SHA-256 of `server.zip`, hexadecimal, for `Server.load`.

        Raises:
            OSError: The directory or a file cannot be written.
        """
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        for name, part in (
            ("client.zip", self.circuit.client),
            ("server.zip", self.circuit.server),
        ):
            with replacing(directory / name) as temporary:
                part.save(temporary)
                with zipfile.ZipFile(temporary, "a") as archive:
                    self.spec.write(archive)
                sha256 = hashlib.sha256(temporary.read_bytes()).hexdigest()
        return sha256

    def statistics(self) -> dict[str, Any]:
        """The cost and the guarantees of the circuit, as concrete-python states them.

        Returns:
            A dict with these keys; PBS are programmable bootstraps.

            - `formulation`, and `costs` of each formulation that was compiled.
            - `complexity`: the estimated cost.
            - `pbs`: all PBS. `pbs_per_part`: by what they look up.
            - `pbs_per_unit_and_step`: for each recurrent layer, in its steps after the first,
              before which there is no state.
            - `lookup_bits`: the bit widths of the look-up tables. `max_bits`: the greatest bit
              width of any value, also of sums that no table reads.
            - `p_error`: the error probability of one PBS. `global_p_error`: the bound of the whole
              circuit. `security_bits`.
            - `evaluation_key_bytes`: in use. `compressed_evaluation_key_bytes`: as they are sent.
            - `secret_key_bytes`, `input_bytes`, `output_bytes`.
        """
        circuit = self.circuit
        per_tag = circuit.programmable_bootstrap_count_per_tag
        sizes = TransferSizes.from_specification(circuit.client.specs.serialize())
        return {
            "formulation": self.formulation,
            "costs": dict(self.costs),
            "complexity": circuit.complexity,
            "pbs": circuit.programmable_bootstrap_count,
            "pbs_per_part": _per_part(per_tag),
            "pbs_per_unit_and_step": {
                layer.name: _in_later_steps(index, per_tag) / layer.units / (self.timesteps - 1)
                for index, layer in enumerate(self.model.layers)
                if not isinstance(layer, IntegerDense) and self.timesteps > 1
            },
            "lookup_bits": sorted(_bounds.lookup_bits(circuit.graph)),
            "max_bits": circuit.graph.maximum_integer_bit_width(),
            "p_error": circuit.p_error,
            "global_p_error": circuit.configuration.global_p_error,
            "security_bits": int(circuit.configuration.security_level),
            "evaluation_key_bytes": circuit.size_of_bootstrap_keys + circuit.size_of_keyswitch_keys,
            "compressed_evaluation_key_bytes": sum(sizes.keys),
            "secret_key_bytes": circuit.size_of_secret_keys,
            "input_bytes": circuit.size_of_inputs,
            "output_bytes": circuit.size_of_outputs,
        }


def _per_part(per_tag: dict[str, int]) -> dict[str, int]:
    """The counts of tags `layer.step.part`, summed over layers and steps."""
    parts: dict[str, int] = {}
    for tag, count in per_tag.items():
        if tag.count(".") == 2:
            part = tag.rpartition(".")[2]
            parts[part] = parts.get(part, 0) + count
    return parts


def _in_later_steps(index: int, per_tag: dict[str, int]) -> int:
    steps = (tag.split(".") for tag in per_tag if tag.count(".") == 1)
    return sum(per_tag[f"{index}.{step}"] for at, step in steps if int(at) == index and step != "0")
