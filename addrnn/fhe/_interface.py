"""What goes into a circuit and comes out of it: all that a client knows of a model."""

import dataclasses
import hashlib
import json
import pathlib
import zipfile

import numpy as np

from addrnn._atomic_file import replacing
from addrnn.fhe._sizes import SPECIFICATION
from addrnn.layers import IntegerAddGRU
from addrnn.quantization import Quantization

VERSION = 1

_ENTRY = "addrnn.fhe.json"


@dataclasses.dataclass(frozen=True)
class Interface:
    """The inputs and outputs of a compiled model.

    Args:
        inputs: `Quantization`, how real inputs become integers.
        timesteps: Integer `T`.
        least, greatest: Tuples `[D]`, the range of the input integers.
        output_shape: Tuple, the shape of the output for one sequence.
        output_scale: The real number that 1 stands for in the output.
        sequences: Whether the circuit returns one output for each step.
        circuit_id: Hexadecimal SHA-256 of concrete-python's description of the circuit; "" before
            it is saved.
    """

    inputs: Quantization
    timesteps: int
    least: tuple
    greatest: tuple
    output_shape: tuple
    output_scale: float
    sequences: bool
    circuit_id: str = ""

    @classmethod
    def of(cls, model, timesteps, input_range):
        last = model.layers[-1]
        recurrent = [layer for layer in model.layers if isinstance(layer, IntegerAddGRU)][-1]
        sequences = recurrent.return_sequences
        units = last.units
        return cls(
            inputs=model.inputs,
            timesteps=timesteps,
            least=tuple(int(value) for value in input_range[0]),
            greatest=tuple(int(value) for value in input_range[1]),
            output_shape=(timesteps, units) if sequences else (units,),
            output_scale=model.output_scale,
            sequences=sequences,
        )

    def checked(self, inputs):
        """One sequence of integers as int64 `[T, D]`.

        Raises:
            TypeError: It does not hold integers.
            ValueError: Its shape or a value is not allowed.
        """
        inputs = np.asarray(inputs)
        if inputs.dtype.kind not in "iu":
            raise TypeError(f"Integers are encrypted. Received: dtype={inputs.dtype}")
        shape = self.timesteps, len(self.least)
        if inputs.shape != shape:
            raise ValueError(
                f"A sequence must be of the shape {shape} that the circuit was compiled for. "
                f"Received: {inputs.shape}"
            )
        outside = (inputs < np.array(self.least)) | (inputs > np.array(self.greatest))
        if outside.any():
            t, d = np.argwhere(outside)[0]
            raise ValueError(
                f"Feature {d} must be from {self.least[d]} to {self.greatest[d]}, for which the "
                f"circuit was compiled. Received: {inputs[t, d]} at step {t}"
            )
        # Rows in order: concrete-python does not look at strides.
        return np.ascontiguousarray(inputs, np.int64)

    def joined(self, outputs):
        """What the circuit returns for one sequence, as an array of `output_shape`."""
        return np.asarray(outputs, np.int64).reshape(self.output_shape)

    def save(self, circuit, directory):
        """Writes `client.zip` and `server.zip`, each whole or not at all."""
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        for name, part in (("client.zip", circuit.client), ("server.zip", circuit.server)):
            with replacing(directory / name) as temporary:
                part.save(temporary)
                with zipfile.ZipFile(temporary, "a") as archive:
                    about = dataclasses.asdict(self)
                    about["circuit_id"] = _digest(archive)
                    about["version"] = VERSION
                    archive.writestr(_ENTRY, json.dumps(about, sort_keys=True))

    @classmethod
    def load(cls, path):
        """Reads what `save` has written into an archive.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is something else, damaged, or of another version.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()
                about = json.loads(archive.read(_ENTRY))
                digest = _digest(archive)
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise ValueError(
                f"'{path}' is not of an encrypted model: EncryptedModel.save writes it."
            ) from error
        if about.pop("version", None) != VERSION:
            raise ValueError(
                f"'{path}' is not of version {VERSION}, which this keras_addrnn reads. Save the "
                "encrypted model anew."
            )
        if damaged or about["circuit_id"] != digest:
            raise ValueError(f"'{path}' is damaged. Copy it anew.")
        about["inputs"] = Quantization(**about["inputs"])
        for name in ("least", "greatest", "output_shape"):
            about[name] = tuple(about[name])
        return cls(**about)


def _digest(archive):
    return hashlib.sha256(archive.read(SPECIFICATION)).hexdigest()
