"""What the modules share: layers and directions, as `torch.nn.GRU` has them."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from addrnn import _validation
from addrnn.torch._direction import Direction

Tensor = torch.Tensor


class Recurrent(nn.Module):
    """Runs `num_layers` layers on top of each other, each in one direction or two.

    Args:
        make_direction: Makes a `Direction` for a number of features. Called with
            `(inputs, state, mask, go_backwards)` it returns the outputs `[B, T, H]` in the order
            of processing, and the last state `[B, H]`.
        The others are those of the modules.
    """

    def __init__(
        self,
        make_direction: Callable[[int], Direction],
        *,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
    ) -> None:
        super().__init__()
        self.input_size = _validation.integer("input_size", input_size, 1)
        self.hidden_size = _validation.integer("hidden_size", hidden_size, 1)
        self.num_layers = _validation.integer("num_layers", num_layers, 1)
        self.bias = _validation.flag("bias", bias)
        self.batch_first = _validation.flag("batch_first", batch_first)
        self.dropout = _validation.fraction("dropout", dropout)
        self.bidirectional = _validation.flag("bidirectional", bidirectional)
        directions = 2 if bidirectional else 1
        # As the states of `h_n` are: both directions of a layer side by side.
        self.layers = nn.ModuleList(
            make_direction(directions * hidden_size if layer else input_size)
            for layer in range(num_layers)
            for _ in range(directions)
        )

    def reset_parameters(self) -> None:
        """Draws all weights anew; the next batch in training sets the factors of the inputs."""
        for layer in self.layers:
            cast(Direction, layer).reset_parameters()

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Any, Tensor]:
        """Runs sequences through all layers.

        Args:
            input: `[T, B, D]`, or `[B, T, D]` with `batch_first`, or a single sequence `[T, D]`,
                or a `PackedSequence`.
            hx: The states before the first step, `[layers * directions, B, H]`, without `B` for a
                single sequence. None for zeros.

        Returns:
            A tuple `(output, h_n)`: the last layer's states after each step, in the form of the
            input with `directions * H` in place of `D`; and the last states, in the form of `hx`.

        Raises:
            ValueError, TypeError: The input or `hx` has another shape, dtype or device.
        """
        if isinstance(input, PackedSequence):
            return self._run_packed(input, hx)
        if not isinstance(input, Tensor):
            kinds = "be a tensor or a PackedSequence"
            raise _validation.type_error("input", kinds, type(input).__name__)
        if input.dim() not in (2, 3) or input.shape[-1] != self.input_size:
            axes = "[batch, time, {0}]" if self.batch_first else "[time, batch, {0}]"
            expected = f"{axes} or [time, {{0}}]".format(self.input_size)
            raise _validation.shape_error("input", expected, input.shape)
        if input.dim() == 2:
            output, last = self._run(input[None], None if hx is None else hx[:, None])
            return output[0], last[:, 0]
        output, last = self._run(input if self.batch_first else input.transpose(0, 1), hx)
        return output if self.batch_first else output.transpose(0, 1), last

    def _run_packed(
        self, packed: PackedSequence, hx: Tensor | None
    ) -> tuple[PackedSequence, Tensor]:
        """In the order in which the sequences are packed, the longest first."""
        data, batch_sizes, order, original_order = packed
        if data.shape[-1] != self.input_size:
            expected = f"[..., {self.input_size}]"
            raise _validation.shape_error("input", expected, data.shape)
        x, lengths = pad_packed_sequence(PackedSequence(data, batch_sizes), batch_first=True)
        mask = torch.arange(x.shape[1]) < lengths[:, None]
        if hx is not None and order is not None:
            hx = hx.index_select(1, order)
        output, last = self._run(x, hx, mask)
        if original_order is not None:
            last = last.index_select(1, original_order)
        outputs = pack_padded_sequence(output, lengths, batch_first=True).data
        return PackedSequence(outputs, batch_sizes, order, original_order), last

    def _run(
        self, x: Tensor, hx: Tensor | None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Inputs `[B, T, D]`, states `[layers * directions, B, H]` and a mask `[B, T]`."""
        expected = (len(self.layers), x.shape[0], self.hidden_size)
        if hx is not None and not _validation.shape_fits(hx.shape, expected):
            raise _validation.shape_error("hx", _validation.shape_text(expected), hx.shape)
        directions = 2 if self.bidirectional else 1
        last = []
        for first in range(0, len(self.layers), directions):
            if first and self.dropout:
                x = nn.functional.dropout(x, self.dropout, self.training)
            outputs = []
            for direction in range(directions):
                index, backwards = first + direction, direction == 1
                state = None if hx is None else hx[index]
                output, state = self.layers[index](x, state, mask, backwards)
                outputs.append(output.flip(1) if backwards else output)
                last.append(state)
            x = torch.cat(outputs, -1) if self.bidirectional else outputs[0]
        return x, torch.stack(last)

    @torch.no_grad()
    def load_keras_weights(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Takes over the weights of Keras layers.

        Args:
            weights: What `get_weights()` of `keras_addrnn`'s layer returns. With several layers or
                directions, the lists of all of them one after another, those of both directions of
                a layer side by side. A layer with `scale_inputs=False` goes with a module with
                `scale_inputs=False`.

        Raises:
            ValueError: Their number or a shape does not fit.

        Example:

        >>> layer = addrnn.torch.AddGRU(8, 4)
        >>> other = addrnn.torch.AddGRU(8, 4)
        >>> other.load_keras_weights(layer.keras_weights())
        """
        tensors = self._in_keras_order()
        if len(weights) != len(tensors):
            shapes = ", ".join(str(list(tensor.shape)) for tensor in tensors)
            raise _validation.value_error(
                "weights", f"be {len(tensors)} arrays, of shapes {shapes}", f"{len(weights)} arrays"
            )
        for index, (tensor, weight) in enumerate(zip(tensors, weights, strict=True)):
            array = np.array(weight, np.float64)
            if array.shape != tuple(tensor.shape):
                expected = str(list(tensor.shape))
                raise _validation.shape_error(f"weights[{index}]", expected, array.shape)
            tensor.copy_(torch.from_numpy(array))

    def keras_weights(self) -> list[npt.NDArray[Any]]:
        """The weights as `set_weights` of Keras layers takes them; see `load_keras_weights`.

        Returns:
            A list of arrays of at least float32, in the order that `load_keras_weights` reads.
        """
        return [
            # NumPy has no bfloat16.
            tensor.detach().to(torch.promote_types(tensor.dtype, torch.float32)).numpy().copy()
            for tensor in self._in_keras_order()
        ]

    def _in_keras_order(self) -> list[Tensor]:
        return [
            tensor for layer in self.layers for tensor in (*layer.parameters(), *layer.buffers())
        ]

    def extra_repr(self) -> str:
        """The sizes, and what is not by default."""
        text = f"{self.input_size}, {self.hidden_size}, num_layers={self.num_layers}"
        for name in ("batch_first", "bidirectional"):
            text += f", {name}=True" if getattr(self, name) else ""
        return text
