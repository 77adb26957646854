"""The inputs and outputs of a circuit, and the messages that carry them."""

import dataclasses
import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from os import PathLike

import numpy as np
import numpy.typing as npt

from addrnn import _validation
from addrnn.fhe import _archive, _messages
from addrnn.fhe._bounds import IntArray
from addrnn.fhe._messages import Position
from addrnn.fhe._transfer_sizes import TransferSizes
from addrnn.layers import IntegerDense
from addrnn.model import IntegerModel
from addrnn.quantization import Quantization

VERSION = 3

_ENTRY = "addrnn.fhe.json"
_LIBRARY_ENTRY = "client.specs.json"  # concrete-python's description of the circuit
_WITH_ITS_STATE = (
    "Give the first step of a stream without a state, any later one with the state of the step "
    "before."
)


@dataclasses.dataclass(frozen=True)
class CircuitSpec:
    """The inputs and outputs of a compiled model: all that a client knows of it.

    It is data alone. Reading it runs nothing of the archive.

    Args:
        inputs: `Quantization`, which turns real inputs into integers.
        timesteps: Integer `T`.
        input_min, input_max: Tuples `[D]`, the bounds of the input integers.
        output_shape: Tuple, the shape of the output for one sequence.
        output_scale: The real number that the integer 1 stands for in the output.
        return_sequences: Whether the circuit returns one output for each step.
        max_steps: Of a stream, whose circuit is a single step: how many there may be. 0 for others.
        units: Of a stream, the length of the state; 0 for others.
        circuit_id: Hexadecimal SHA-256 of concrete-python's description of the circuit; "" before
            it is saved.
        sizes: `TransferSizes`; None before it is saved.
    """

    inputs: Quantization
    timesteps: int
    input_min: tuple[int, ...]
    input_max: tuple[int, ...]
    output_shape: tuple[int, ...]
    output_scale: float
    return_sequences: bool
    max_steps: int = 0
    units: int = 0
    circuit_id: str = ""
    sizes: TransferSizes | None = None

    @classmethod
    def from_model(
        cls,
        model: IntegerModel,
        timesteps: int,
        input_range: tuple[IntArray, IntArray],
        max_steps: int = 0,
    ) -> "CircuitSpec":
        recurrent = [layer for layer in model.layers if not isinstance(layer, IntegerDense)][-1]
        units = model.layers[-1].units
        return cls(
            inputs=model.inputs,
            timesteps=timesteps,
            input_min=tuple(input_range[0].tolist()),
            input_max=tuple(input_range[1].tolist()),
            output_shape=(timesteps, units) if recurrent.return_sequences else (units,),
            output_scale=model.output_scale,
            return_sequences=recurrent.return_sequences,
            max_steps=max_steps,
            units=recurrent.units if max_steps else 0,
        )

    @classmethod
    def load(cls, path: str | PathLike[str], sha256: str | None = None) -> "CircuitSpec":
        """Reads the specification in `client.zip` or `server.zip`, and runs nothing.

        Args:
            path: Path of the archive.
            sha256: The expected SHA-256 of the archive, hexadecimal; None for any.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is something else, damaged, of another version or of another digest.
        """
        return cls.from_bytes(_archive.read(path, sha256), path)

    @classmethod
    def from_bytes(cls, content: bytes, path: str | PathLike[str]) -> "CircuitSpec":
        """As `load`, from the bytes of an archive; `path` is for the errors."""
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                damaged = archive.testzip()
                about = json.loads(archive.read(_ENTRY))
                specification = archive.read(_LIBRARY_ENTRY)
                version = about.pop("version")
        except Exception as error:  # of zipfile or json, whatever its content leads to
            raise ValueError(
                f"'{path}' is not the client.zip or server.zip of an encrypted model, or it is "
                "damaged: EncryptedModel.save writes both."
            ) from error
        if version != VERSION:
            raise ValueError(
                f"'{path}' is of version {version!r}, and this keras_addrnn reads version "
                f"{VERSION}. Install the keras_addrnn that wrote it, or compile and save the model "
                "anew."
            )
        try:
            if damaged or about["circuit_id"] != _digest(specification):
                raise ValueError
            about["inputs"] = Quantization(**about["inputs"])
            for name in ("input_min", "input_max", "output_shape"):
                about[name] = tuple(about[name])
            return cls(**about, sizes=TransferSizes.from_specification(specification))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"'{path}' is damaged. Copy it or save the model anew.") from error

    def write(self, archive: zipfile.ZipFile) -> None:
        """Adds the specification to an archive of concrete-python."""
        about = dataclasses.asdict(self) | {
            "circuit_id": _digest(archive.read(_LIBRARY_ENTRY)),
            "version": VERSION,
        }
        del about["sizes"]  # they follow from concrete-python's description
        archive.writestr(_ENTRY, json.dumps(about, sort_keys=True))

    def check_input(self, inputs: npt.ArrayLike) -> IntArray:
        """One sequence of integers as int64 `[T, D]`.

        Raises:
            TypeError: It does not hold integers.
            ValueError: Its shape or a value is not allowed.
        """
        if self.max_steps:
            raise ValueError("This circuit is one step of a stream. Use `Client.stream()`.")
        return self._checked(inputs)

    def check_step(self, inputs: npt.ArrayLike) -> IntArray:
        """The integers `[D]` of one step of a stream, as `check_input` checks a sequence."""
        inputs = _validation.integers("inputs", inputs)
        if inputs.shape != (len(self.input_min),):
            expected = f"[{len(self.input_min)}], the features of a step"
            raise _validation.shape_error("inputs", expected, inputs.shape)
        return np.asarray(self._checked(inputs[None])[0])

    def check_length(self, steps: int) -> None:
        """Raises a `ValueError` if a stream may not have so many steps."""
        if steps > self.max_steps:
            raise ValueError(
                f"The circuit was compiled for streams of {self.max_steps} steps at most. "
                f"Received: {steps} steps. Compile it with a larger `max_timesteps`."
            )

    def _checked(self, inputs: npt.ArrayLike) -> IntArray:
        inputs = _validation.integers("inputs", inputs)
        shape = self.timesteps, len(self.input_min)
        if inputs.shape != shape:
            expected = f"{shape} that the circuit was compiled for"
            remedy = "Give sequences of that shape, or compile it for other `timesteps`."
            raise _validation.shape_error("inputs", expected, inputs.shape, remedy)
        outside = (inputs < np.array(self.input_min)) | (inputs > np.array(self.input_max))
        if outside.any():
            t, d = np.argwhere(outside)[0]
            at = "" if self.max_steps else f" at step {t}"  # which step of a stream is not known
            raise _validation.value_error(
                "inputs",
                f"hold values from {self.input_min[d]} to {self.input_max[d]} in feature {d}, for "
                "which the circuit was compiled",
                f"{inputs[t, d]}{at}",
                "Compile it with a wider `input_range`.",
            )
        # concrete-python ignores strides, so the rows must be in order.
        return np.ascontiguousarray(inputs, np.int64)

    def stack_outputs(self, outputs: npt.ArrayLike) -> IntArray:
        """The outputs of the circuit for one sequence, as an array of `output_shape`."""
        return np.asarray(outputs, np.int64).reshape(self.output_shape)

    def pack(self, kind: str, key_id: bytes, parts: Sequence[bytes]) -> bytes:
        """A message of this circuit; `kind` is `"keys"`, `"input"` or `"output"`."""
        return _messages.pack(kind, self.circuit_id, key_id, parts)

    def unpack(self, kind: str, message: bytes) -> tuple[bytes, list[bytes]]:
        """Checks a message as far as possible without concrete-python.

        Returns:
            The identifier of the client's keys, and the parts for concrete-python.

        Raises:
            ValueError: The message is something else, of another circuit, truncated or too long.
        """
        return _messages.unpack(kind, message, self.circuit_id, self._sizes(kind))

    def unpack_step(
        self, kind: str, message: bytes, *, first: bool = False
    ) -> tuple[bytes, Position, list[bytes]]:
        """As `unpack`, for a message of a stream; the first input brings a state along."""
        assert self.sizes is not None
        numbers = {
            "input": self.sizes.input[: 1 + first],
            "output": self.sizes.output[:1],
            "state": self.sizes.output[1:],
        }[kind]
        sizes = (Position.SIZE, *numbers)
        miscounted = _WITH_ITS_STATE if kind == "input" else ""
        key_id, parts = _messages.unpack(kind, message, self.circuit_id, sizes, miscounted)
        return key_id, Position.unpack(parts[0]), parts[1:]

    def _sizes(self, kind: str) -> tuple[int, ...]:
        sizes: tuple[int, ...] = getattr(self.sizes, kind)
        return sizes

    def max_message_bytes(self, kind: str) -> int:
        """The length of the longest message of a kind that `unpack` accepts."""
        return _messages.max_bytes(self._sizes(kind))


def _digest(specification: bytes) -> str:
    return hashlib.sha256(specification).hexdigest()
