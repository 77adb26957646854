"""AddGRU as a module, used like `torch.nn.GRU`."""

from typing import Any

import torch
from torch import nn

from addrnn import _validation
from addrnn.gate import ACTIVATIONS, Gate
from addrnn.sequence import SequenceTensors
from addrnn.torch import _op
from addrnn.torch._direction import Direction, inhibited_orthogonal_
from addrnn.torch._recurrent import Recurrent

Tensor = torch.Tensor


class AddGRU(Recurrent):
    """Addition-gated recurrent unit (arXiv 2308.05629, section 3.1), used like `torch.nn.GRU`.

    Its gate adds and takes ReLUs where that of a GRU multiplies and takes sigmoids:

        [u | z] = x_t @ kernel + h @ recurrent_kernel + bias
        c = activation(z)
        h = relu(h + state_shift - relu(-u)) + relu(c + state_shift - relu(u)) - state_shift

    and `h` is at most `state_max`. A large positive update gate `u` keeps the old state, a large
    negative one replaces it by the candidate `c`, and `u = 0` adds the two.

    It runs on CPUs. Layer `l` in direction `d` is `layers[l * directions + d]`, with the parameters
    `kernel` `[features, 2H]`, `recurrent_kernel` `[H, 2H]` and `bias` `[2H]`, and the buffer
    `input_scale`. They are laid out, and drawn, as those of the Keras layer
    `keras_addrnn.AddGRU`, whose weights `load_keras_weights` takes over.

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
        activation: Of the candidate: `"linear"`, `"relu"`, `"hard_tanh"` or `"tanh"`.
        state_shift: Finite number of at least 0. The state is shifted by it inside the gate, so
            that it can be as low as `-state_shift`.
        state_max: Finite number above `-state_shift`, the upper bound of the state, or None.
        scale_inputs: Whether the first batch in training sets a factor of each layer's inputs, 1
            over their root mean square, and at most 100. It then stays, and multiplies the kernel.
            Use False where you set the weights by hand.

    Raises:
        ValueError: An argument has a value that is not allowed.
        TypeError: An argument is of the wrong type.

    Example:

    >>> rnn = addrnn.torch.AddGRU(8, 16, num_layers=2, batch_first=True)
    >>> output, h_n = rnn(torch.randn(32, 10, 8))
    >>> output.shape, h_n.shape
    (torch.Size([32, 10, 16]), torch.Size([2, 32, 16]))
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
        activation: str = "relu",
        state_shift: float = 0.0,
        state_max: float | None = None,
        scale_inputs: bool = True,
    ) -> None:
        _validation.one_of("activation", activation, ACTIVATIONS)
        gate = Gate(activation, state_shift, state_max)
        scale_inputs = _validation.flag("scale_inputs", scale_inputs)
        super().__init__(
            lambda features: _Direction(
                (features, 2 * hidden_size),
                gate,
                bias=bias,
                scale_inputs=scale_inputs,
                # The layer below may grow while the factor stays: in the thousands, training
                # explodes.
                largest_scale=100.0,
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
    def __init__(self, kernel_shape: tuple[int, ...], gate: Gate, **settings: Any) -> None:
        super().__init__(kernel_shape, **settings)
        self.gate = gate

    def _add_recurrent_kernel(self, columns: int, factory: dict[str, Any]) -> None:
        self.recurrent_kernel = nn.Parameter(torch.empty(columns // 2, columns, **factory))

    def reset_parameters(self) -> None:
        super().reset_parameters()
        inhibited_orthogonal_(self.recurrent_kernel)

    def forward(
        self, inputs: Tensor, state: Tensor | None, mask: Tensor | None, go_backwards: bool
    ) -> tuple[Tensor, Tensor]:
        self.observe(inputs, mask)
        tensors = SequenceTensors(
            inputs, self.scaled_kernel(), self.recurrent_kernel, self.bias, state, mask
        )
        return _op.checked(tensors, gate=self.gate, go_backwards=go_backwards)
