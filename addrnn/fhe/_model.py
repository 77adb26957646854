"""A compiled integer model: encryption, evaluation and decryption in one process."""

import numpy as np

from addrnn.fhe import _ranges
from addrnn.fhe._interface import Interface
from addrnn.fhe._sizes import Sizes
from addrnn.layers import IntegerAddGRU

MODES = "disable", "simulate", "execute"


class EncryptedModel:
    """What `addrnn.fhe.compile` returns.

    Attributes:
        model: The `IntegerModel`.
        timesteps: The length of the sequences.
        form: The form of the circuit, of `addrnn.fhe._network.FORMS`.
        costs: Dict of each form that was compiled and concrete-python's estimate of its cost.
        circuit: The `concrete.fhe.Circuit`.
    """

    def __init__(self, model, timesteps, input_range, circuit, form, costs):
        self.model = model
        self.timesteps = timesteps
        self.circuit = circuit
        self.form = form
        self.costs = costs
        self._interface = Interface.of(model, timesteps, input_range)

    def predict(self, inputs, fhe="disable"):
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
        return (integers * self.model.output_scale).astype(np.float32)

    def predict_integers(self, inputs, fhe="disable"):
        """Like `predict`, from integers to integers, as `IntegerModel.run`."""
        if fhe not in MODES:
            raise ValueError(f"`fhe` must be one of {', '.join(MODES)}. Received: {fhe!r}")
        inputs = np.asarray(inputs)
        if inputs.ndim != 3:
            raise ValueError(f"`inputs` must be of shape [B, T, D]. Received: {inputs.shape}")
        sequences = [self._interface.checked(sequence) for sequence in inputs]
        if fhe == "disable":
            return self.model.run(inputs)
        if fhe == "simulate":
            outputs = [self._interface.joined(self.circuit.simulate(s)) for s in sequences]
        else:
            outputs = [self.decrypt(self.run(self.encrypt(s))) for s in sequences]
        return np.array(outputs).reshape(len(outputs), *self._interface.output_shape)

    def encrypt(self, inputs):
        """Encrypts one sequence of integers `[T, D]`; the first time it makes the keys."""
        return self.circuit.encrypt(self._interface.checked(inputs))

    def run(self, encrypted):
        """Evaluates the circuit on what `encrypt` returned."""
        return self.circuit.run(encrypted)

    def decrypt(self, encrypted):
        """Decrypts what `run` returned: integers `[C]`, `[H]`, or with a step axis before."""
        return self._interface.joined(self.circuit.decrypt(encrypted))

    def save(self, directory):
        """Writes `client.zip` and `server.zip` into a directory.

        `addrnn.fhe.Client` and `Server` load them, where there is neither model nor compiler.

        Neither holds a key. `client.zip` tells nothing of the weights but the shapes and the ranges
        of inputs and outputs.
        """
        self._interface.save(self.circuit, directory)

    def statistics(self):
        """What the circuit costs and guarantees, as concrete-python states it.

        Returns:
            A dict: `form`; `costs` of the forms; `complexity`, the estimated cost; `pbs`, all
            programmable bootstraps, and `pbs_of_part`, by what they look up;
            `pbs_per_unit_and_step` for each recurrent layer, in its steps after the first, before
            which there is no state; `table_bits`, the bits that look-ups read, and
            `largest_sum_bits`, of what is only added up; `p_error` of one look-up, and
            `global_p_error`, the bound of the whole circuit that was asked for; `security_bits`;
            `evaluation_key_bytes`, as they are used, and `sent_evaluation_key_bytes`, compressed;
            `secret_key_bytes`, `input_bytes`, `output_bytes`.
        """
        circuit = self.circuit
        per_tag = circuit.programmable_bootstrap_count_per_tag
        return {
            "form": self.form,
            "costs": dict(self.costs),
            "complexity": circuit.complexity,
            "pbs": circuit.programmable_bootstrap_count,
            "pbs_of_part": _by_part(per_tag),
            "pbs_per_unit_and_step": {
                layer.name: _in_later_steps(index, per_tag) / layer.units / (self.timesteps - 1)
                for index, layer in enumerate(self.model.layers)
                if isinstance(layer, IntegerAddGRU) and self.timesteps > 1
            },
            "table_bits": sorted(_ranges.table_bits(circuit.graph)),
            "largest_sum_bits": circuit.graph.maximum_integer_bit_width(),
            "p_error": circuit.p_error,
            "global_p_error": circuit.configuration.global_p_error,
            "security_bits": int(circuit.configuration.security_level),
            "evaluation_key_bytes": circuit.size_of_bootstrap_keys + circuit.size_of_keyswitch_keys,
            "sent_evaluation_key_bytes": sum(Sizes.of(circuit.client.specs.serialize()).keys),
            "secret_key_bytes": circuit.size_of_secret_keys,
            "input_bytes": circuit.size_of_inputs,
            "output_bytes": circuit.size_of_outputs,
        }


def _by_part(per_tag):
    """The counts of tags `layer.step.part`, of all layers and steps together."""
    parts = {}
    for tag, count in per_tag.items():
        if tag.count(".") == 2:
            part = tag.rpartition(".")[2]
            parts[part] = parts.get(part, 0) + count
    return parts


def _in_later_steps(index, per_tag):
    steps = (tag.split(".") for tag in per_tag if tag.count(".") == 1)
    return sum(per_tag[f"{index}.{step}"] for at, step in steps if int(at) == index and step != "0")
