"""The integer model: how inputs become integers, and the layers that follow one another."""

import dataclasses
import os
from collections.abc import Sequence
from types import ModuleType

import numpy as np
import numpy.typing as npt

from addrnn import _compiled_core, _validation, executor, file, reference
from addrnn.layers import IntegerAddGRU, IntegerDense, IntegerMinAddGRU, Layer
from addrnn.quantization import Quantization

_RECURRENT = (IntegerAddGRU, IntegerMinAddGRU)
_EXECUTORS = {"reference": reference, "compiled": executor}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class IntegerModel:
    """A recurrent network in integers alone (docs/explanation/integer.md).

    `keras_addrnn.quantization.quantize` makes one of a trained Keras model, `addrnn.load`
    reads one from its file. Every executor gives the same integers, bit for bit.

    Args:
        inputs: `Quantization`, how real inputs become integers.
        layers: `IntegerAddGRU` and `IntegerMinAddGRU` layers, at least one, in any order, and
            `IntegerDense` as the last one or not at all.

    Raises:
        TypeError: An argument is not what it has to be.
        ValueError: The layers do not fit one another.
    """

    inputs: Quantization
    layers: Sequence[Layer]

    def __post_init__(self) -> None:
        if not isinstance(self.inputs, Quantization):
            raise _validation.type_error("inputs", "be a Quantization", repr(self.inputs))
        layers = tuple(self.layers)
        object.__setattr__(self, "layers", layers)
        for layer in layers:
            if not isinstance(layer, (*_RECURRENT, IntegerDense)):
                raise _validation.type_error(
                    "layers", "hold IntegerAddGRU, IntegerMinAddGRU and IntegerDense", repr(layer)
                )
        if not layers or not isinstance(layers[0], _RECURRENT):
            raise _validation.value_error(
                "layers", "begin with an IntegerAddGRU or an IntegerMinAddGRU", repr(layers[:1])
            )
        bits, zero_point, source = self.inputs.bits, self.inputs.zero_point, "`inputs`"
        for before, layer in zip((None, *layers), layers, strict=False):
            if before is not None:
                self._check_follows(before, layer)
            if layer.input_bits != bits:
                raise _misfit(
                    layer,
                    f"take {bits} bits, as {source} gives",
                    f"input_bits={layer.input_bits}",
                    f"Make it with input_bits={bits}.",
                )
            if isinstance(layer, IntegerMinAddGRU) and layer.input_zero_point != zero_point:
                raise _misfit(
                    layer,
                    f"take {zero_point} for 0, as {source} gives",
                    f"input_zero_point={layer.input_zero_point}",
                    f"Make it with input_zero_point={zero_point}.",
                )
            bits, zero_point, source = getattr(layer, "state_bits", 0), 0, f"'{layer.name}'"

    def __repr__(self) -> str:
        lines = "".join(f"\n  {layer!r}" for layer in self.layers)
        return f"IntegerModel of {self.features} features, {self.inputs!r}{lines}"

    @staticmethod
    def _check_follows(before: Layer, layer: Layer) -> None:
        if isinstance(before, IntegerDense):
            raise _misfit(
                before,
                "be the last, as an IntegerDense",
                f"'{layer.name}' behind it",
                f"Leave '{layer.name}' out.",
            )
        if isinstance(layer, _RECURRENT) and not before.return_sequences:
            raise _misfit(
                before,
                f"return sequences, for '{layer.name}' behind it",
                "return_sequences=False",
                "Make it with return_sequences=True.",
            )
        if layer.features != before.units:
            raise _misfit(
                layer,
                f"take {before.units} features, the units of '{before.name}'",
                f"a kernel for {layer.features}",
                "Give it a kernel of that size, or the layer before it other units.",
            )

    @property
    def features(self) -> int:
        """The number of features of the inputs."""
        return self.layers[0].features

    @property
    def output_scale(self) -> float:
        """The real number that 1 stands for in the output."""
        last = self.layers[-1]
        return last.scale if isinstance(last, IntegerDense) else last.state_scale

    def run(
        self,
        inputs: npt.ArrayLike,
        mask: npt.ArrayLike | None = None,
        *,
        executor: str = "auto",
    ) -> npt.NDArray[np.signedinteger]:
        """Computes the outputs of integer inputs.

        Args:
            inputs: Integers in range of `self.inputs`, `[B, T, D]`.
            mask: Booleans `[B, T]`; where it is False, the states stay as they are. None for all
                True.
            executor: `"reference"`, NumPy, whose code defines the result; `"compiled"`, the C++
                core, with the same integers and faster; or `"auto"`, the core where it is there.

        Returns:
            Integers: int32 `[B, C]` behind an `IntegerDense`, int16 `[B, H]` otherwise; with a step
            axis after the first, if the last recurrent layer returns sequences.

        Raises:
            TypeError: `inputs` are not integers, or `mask` is not of booleans.
            ValueError: A shape or a value is not allowed.
            RuntimeError: `executor="compiled"`, and there is no core; says what to do.
        """
        runner = _executor(executor)
        values, mask = self._checked(inputs, mask)
        for layer in self.layers:
            if isinstance(layer, IntegerDense):
                values = runner.run_dense(layer, values)
                continue
            outputs, state = runner.run_layer(layer, values, mask=mask)
            values = outputs if layer.return_sequences else state
        return values

    def predict(
        self,
        inputs: npt.ArrayLike,
        mask: npt.ArrayLike | None = None,
        *,
        executor: str = "auto",
    ) -> npt.NDArray[np.float32]:
        """Computes the outputs of real inputs.

        Inputs out of range count as the nearest in range, where `run` refuses them.

        Args:
            inputs: Real numbers `[B, T, D]`.
            mask: As of `run`.
            executor: As of `run`.

        Returns:
            Real numbers, float32, of the shape that `run` returns.

        Raises:
            TypeError: `inputs` are complex, or `mask` is not of booleans.
            ValueError: An input is not finite, or a shape or `executor` is not allowed.
            RuntimeError: `executor="compiled"`, and there is no core; says what to do.
        """
        integers = self.run(self.inputs.quantize(inputs), mask, executor=executor)
        return (integers * self.output_scale).astype(np.float32)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model to a file, which is replaced whole or not at all.

        Args:
            path: Path of the file; by custom it ends in `.safetensors`.

        Raises:
            ImportError: safetensors is missing; says what to install.
            OSError: The file cannot be written.
            ValueError: `path` is not that of a file in a directory, or the model takes more than
                1 GiB.
        """
        file.save(self.inputs, self.layers, path)

    def _checked(
        self, inputs: npt.ArrayLike, mask: npt.ArrayLike | None
    ) -> tuple[npt.NDArray[np.signedinteger], npt.NDArray[np.bool_] | None]:
        remedy = "`predict` takes real numbers, `inputs.quantize` makes integers of them."
        inputs = _validation.integers("inputs", inputs, remedy)
        if inputs.ndim != 3 or inputs.shape[-1] != self.features:
            raise _validation.shape_error("inputs", f"[batch, time, {self.features}]", inputs.shape)
        _validation.in_range("inputs", inputs, *self.inputs.range)
        if mask is not None:
            mask = np.asarray(mask)
            if mask.dtype != bool:
                raise _validation.type_error("mask", "hold booleans", f"dtype={mask.dtype}")
            if mask.shape != inputs.shape[:2]:
                raise _validation.shape_error("mask", str(inputs.shape[:2]), mask.shape)
        return inputs.astype(self.inputs.dtype), mask


def _misfit(layer: Layer, requirement: str, received: str, remedy: str) -> ValueError:
    """The error of a layer that does not fit what comes before or behind it."""
    return ValueError(f"Layer '{layer.name}' must {requirement}. Received: {received}. {remedy}")


def _executor(name: str) -> ModuleType:
    """The module that runs the layers."""
    _validation.one_of("executor", name, ("auto", *_EXECUTORS))
    if name == "auto":
        return reference if _compiled_core.problem() else executor
    return _EXECUTORS[name]


def load(path: str | os.PathLike[str]) -> IntegerModel:
    """Reads an integer model from its file.

    Args:
        path: Path of a file that `IntegerModel.save` wrote.

    Returns:
        The `IntegerModel`.

    Raises:
        ImportError: safetensors is missing; says what to install.
        FileNotFoundError: There is no such file.
        IsADirectoryError: `path` is that of a folder.
        ValueError: It is the file of something else, of a newer version, damaged, or larger than
            any model.
    """
    return file.load(path, IntegerModel)
