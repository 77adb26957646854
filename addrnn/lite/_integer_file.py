"""A LiteRT file of integer operators in the making."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from addrnn.layers import IntegerAddGRU, IntegerDense, IntegerMinAddGRU, Layer, RecurrentLayer
from addrnn.lite import _flatbuffer, _operators
from addrnn.lite._schema import schema

_SHIFTS = ("kernel_shift", "recurrent_shift", "shift")
_ARRAYS = ("kernel", "recurrent_kernel", "bias", *_SHIFTS, "multiplier")
_MIN_ARRAYS = ("kernel", "bias", "shift", "multiplier")


class IntegerFile:
    """A file with one subgraph. Tensors go by their indices; a size of None stays open."""

    def __init__(self) -> None:
        self._model = schema.ModelT()
        self._model.version = 3
        self._model.description = "keras_addrnn integer model"
        self._model.buffers = [schema.BufferT()]  # the first is empty, by definition
        self._model.operatorCodes = []
        self._graph = schema.SubGraphT()
        self._graph.name = "main"
        self._graph.tensors, self._graph.operators = [], []
        self._graph.inputs, self._graph.outputs = [], []
        self._model.subgraphs = [self._graph]
        self._input_names: list[str] = []
        self._output_names: list[str] = []

    def input(
        self,
        name: str,
        dtype: Any,
        shape: Sequence[int | None],
        scale: float | None = None,
        zero_point: int = 0,
    ) -> int:
        """Adds an input of the file."""
        index = self._tensor(name, dtype, shape, scale, zero_point)
        self._graph.inputs.append(index)
        self._input_names.append(name)
        return index

    def output(self, name: str, index: int) -> None:
        """Makes a tensor an output of the file."""
        self._graph.outputs.append(index)
        self._output_names.append(name)

    def add_gru(
        self,
        layer: IntegerAddGRU,
        inputs: int,
        initial_state: int = _operators.ABSENT,
        mask: int = _operators.ABSENT,
    ) -> tuple[int, int]:
        """Adds an `IntegerAddGRU`; returns its outputs `[B, T, H]` and the last state `[B, H]`."""
        constants = [self._constant(layer, name) for name in _ARRAYS]
        return self._recurrence(
            layer,
            _operators.ADD_GRU_INT,
            [inputs, *constants, initial_state, mask],
            _operators.add_gru_int_options(layer),
        )

    def min_add_gru(
        self,
        layer: IntegerMinAddGRU,
        inputs: int,
        initial_state: int = _operators.ABSENT,
        mask: int = _operators.ABSENT,
        initial_inputs: int = _operators.ABSENT,
    ) -> tuple[int, int]:
        """Adds an `IntegerMinAddGRU`; returns what `add_gru` does."""
        constants = [self._constant(layer, name) for name in _MIN_ARRAYS]
        return self._recurrence(
            layer,
            _operators.MIN_ADD_GRU_INT,
            [inputs, *constants, initial_state, mask, initial_inputs],
            _operators.min_add_gru_int_options(layer),
        )

    def dense(self, layer: IntegerDense, inputs: int) -> int:
        """Adds an `IntegerDense`; returns its outputs `[..., C]`."""
        constants = [self._constant(layer, name) for name in ("kernel", "bias")]
        shape = (*self._shape(inputs)[:-1], layer.units)
        outputs = self._tensor(f"{layer.name}/outputs", np.int32, shape, layer.scale)
        _flatbuffer.add_operator(
            self._model,
            self._graph,
            _operators.ADD_GRU_INT_DENSE,
            [inputs, *constants],
            [outputs],
            _operators.add_gru_int_dense_options(layer),
        )
        return outputs

    def content(self, metadata: dict[str, Any]) -> bytes:
        """The bytes of the file, with a dict as its metadata."""
        _flatbuffer.name_inputs_and_outputs(self._model, self._input_names, self._output_names)
        _flatbuffer.add_metadata(self._model, metadata)
        return _flatbuffer.write(self._model)

    def _recurrence(
        self, layer: RecurrentLayer, operator: str, inputs: Sequence[int], options: bytes
    ) -> tuple[int, int]:
        batch, time, _ = self._shape(inputs[0])
        outputs, state = (
            self._tensor(f"{layer.name}/{name}", np.int16, shape, layer.state_scale)
            for name, shape in (
                ("outputs", (batch, time, layer.units)),
                ("state", (batch, layer.units)),
            )
        )
        _flatbuffer.add_operator(
            self._model, self._graph, operator, inputs, [outputs, state], options
        )
        return outputs, state

    def _shape(self, index: int) -> tuple[int | None, ...]:
        sizes = self._graph.tensors[index].shapeSignature
        return tuple(None if size == -1 else size for size in sizes)

    def _tensor(
        self,
        name: str,
        dtype: Any,
        shape: Sequence[int | None],
        scale: float | None,
        zero_point: int = 0,
    ) -> int:
        index = _flatbuffer.add_tensor(self._graph, name, dtype, shape)
        if scale is not None:
            self._graph.tensors[index].quantization = _flatbuffer.quantization([scale], zero_point)
        return index

    def _constant(self, layer: Layer, name: str) -> int:
        values = getattr(layer, name)
        if values is None:
            return _operators.ABSENT
        return _flatbuffer.add_constant(self._model, self._graph, f"{layer.name}/{name}", values)
