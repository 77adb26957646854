"""MinAddGRU as a module, used like `torch.nn.GRU`."""

from typing import Any

import torch

from addrnn import _validation
from addrnn.gate import ACTIVATIONS
from addrnn.torch import _min_op
from addrnn.torch._direction import Direction
from addrnn.torch._recurrent import Recurrent
from addrnn.window_sequence import WindowTensors

Tensor = torch.Tensor


class MinAddGRU(Recurrent):
    """Addition-gated recurrent unit whose gates read inputs alone, used like `torch.nn.GRU`.

    The gates read the inputs of the last `kernel_size` steps, and no state:

        [u | z] = x_t @ kernel[-1] + x_{t-1} @ kernel[-2] + ... + bias
        c = activation(z)
        h = max(h - relu(-u), relu(c - relu(u)))

    The state `h` is a maximum that fades. It is never negative, and never above the larger of the
    initial state and the largest candidate: it cannot explode.

    One such layer is a fading maximum of what it read. Use two or more, with `torch.nn.LayerNorm`
    between.

    It runs on CPUs. Layer `l` in direction `d` is `layers[l * directions + d]`, with the parameters
    `kernel` `[kernel_size, features, 2H]` and `bias` `[2H]`, and the buffer `input_scale`. They are
    laid out, and drawn, as those of the Keras layer `keras_addrnn.MinAddGRU`, whose weights
    `load_keras_weights` takes over.

    Args:
        input_size: Positive integer, the number of features.
        hidden_size: Positive integer, the size `H` of the state.
        num_layers: Positive integer, the number of layers on top of each other.
        bias: Whether to add a bias.
        batch_first: Whether input and output are `[B, T, ...]`, and not `[T, B, ...]`.
        dropout: Fraction of each layer's outputs to drop in training, but the last layer's; at
            least 0 and below 1.
        bidirectional: Whether to read the sequence from both ends.
        device: Of the parameters.
        dtype: Of the parameters.
        kernel_size: Positive integer, the number of steps that the gates read: the step itself and
            those before it. Before the first step they read zeros, whatever `hx` is.
        activation: Of the candidate: `"linear"`, `"relu"`, `"hard_tanh"` or `"tanh"`.
        scale_inputs: Whether the first batch in training sets a factor of each layer's inputs, 1
            over their root mean square, and at most 1. It then stays, and multiplies the kernel.
            Use False where you set the weights by hand.

    Raises:
        ValueError: An argument has a value that is not allowed.
        TypeError: An argument is of the wrong type.

    Example:

    >>> rnn = addrnn.torch.MinAddGRU(8, 16, bidirectional=True)
    >>> output, h_n = rnn(torch.randn(10, 32, 8))
    >>> output.shape, h_n.shape
    (torch.Size([10, 32, 32]), torch.Size([2, 32, 16]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
        *,
        kernel_size: int = 3,
        activation: str = "relu",
        scale_inputs: bool = True,
    ) -> None:
        kernel_size = _validation.integer("kernel_size", kernel_size, 1)
        _validation.one_of("activation", activation, ACTIVATIONS)
        scale_inputs = _validation.flag("scale_inputs", scale_inputs)
        super().__init__(
            lambda features: _Direction(
                (kernel_size, features, 2 * hidden_size),
                activation,
                bias=bias,
                scale_inputs=scale_inputs,
                # Gates that read no state need no larger inputs to get going.
                largest_scale=1.0,
                factory={"device": device, "dtype": dtype},
            ),
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bias=bias,
            batch_first=batch_first,
            dropout=dropout,
            bidirectional=bidirectional,
        )


class _Direction(Direction):
    def __init__(self, kernel_shape: tuple[int, ...], activation: str, **settings: Any) -> None:
        super().__init__(kernel_shape, **settings)
        self.activation = activation

    def forward(
        self, inputs: Tensor, state: Tensor | None, mask: Tensor | None, go_backwards: bool
    ) -> tuple[Tensor, Tensor]:
        self.observe(inputs, mask)
        tensors = WindowTensors(inputs, self.scaled_kernel(), self.bias, state, mask)
        return _min_op.checked(tensors, activation=self.activation, go_backwards=go_backwards)
