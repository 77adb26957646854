"""One layer of a module in one direction: its weights as they begin, and the factor of its inputs.

All of it is as the Keras layers have it by default, so that a module learns as they do;
docs/explanation/defaults.md has the reasons.
"""

import math
from typing import Any

import torch
from torch import nn

Tensor = torch.Tensor

_NOT_SET = -1.0  # its magnitude is the factor until a batch sets it
_GAIN, _INHIBITION = 0.1, 0.5


class Direction(nn.Module):
    """Adds the parameters `kernel` and `bias`, and the buffer `input_scale`.

    Args:
        kernel_shape: `[..., features, 2 * units]`.
        bias: Whether there is a bias.
        scale_inputs: Whether there is a factor of the inputs.
        largest_scale: The bound of that factor.
        factory: `device` and `dtype` of the parameters.
    """

    bias: Tensor | None
    input_scale: Tensor | None

    def __init__(
        self,
        kernel_shape: tuple[int, ...],
        *,
        bias: bool,
        scale_inputs: bool,
        largest_scale: float,
        factory: dict[str, Any],
    ) -> None:
        super().__init__()
        self.largest_scale = largest_scale
        self.kernel = nn.Parameter(torch.empty(kernel_shape, **factory))
        self._add_recurrent_kernel(kernel_shape[-1], factory)
        bias_values = torch.empty(kernel_shape[-1], **factory) if bias else None
        self.register_parameter("bias", None if bias_values is None else nn.Parameter(bias_values))
        # Made in float32 whatever the weights are, so that it is exact until `half()` is called.
        scale = torch.empty((), device=factory["device"], dtype=torch.float32)
        self.register_buffer("input_scale", scale if scale_inputs else None)
        self.reset_parameters()

    def _add_recurrent_kernel(self, columns: int, factory: dict[str, Any]) -> None:
        """Adds it where there is one: between the others, in the order of the Keras layers."""

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draws the weights anew; the next batch in training sets the factor of the inputs."""
        *taps, features, columns = self.kernel.shape
        limit = math.sqrt(6 / (math.prod(taps) * (features + columns)))
        self.kernel.uniform_(-limit, limit)  # glorot_uniform
        if self.bias is not None:
            self.bias.zero_()
        if self.input_scale is not None:
            self.input_scale.fill_(_NOT_SET)

    def scaled_kernel(self) -> Tensor:
        """The kernel that the inputs meet: `kernel`, times the factor."""
        if self.input_scale is None:
            return self.kernel
        return self.kernel * self.input_scale.abs().to(self.kernel.dtype)

    def observe(self, inputs: Tensor, mask: Tensor | None) -> None:
        """Sets the factor by a batch `[B, T, D]` in training, unless one did before.

        It becomes 1 over the root mean square of what the mask `[B, T]` shows. Zeros, and what is
        not finite, leave it to the next batch.
        """
        scale = self.input_scale
        if scale is None or not (self.training and self.kernel.requires_grad) or _is_set(scale):
            return
        with torch.no_grad():
            squares = inputs.float().square().mean(-1)
            if mask is None:
                mean = squares.mean()
            else:
                mean = torch.where(mask, squares, 0.0).sum() / mask.sum().clamp(min=1)
            usable = (mean > 0) & mean.isfinite()
            found = torch.where(usable, mean.rsqrt().clamp(max=self.largest_scale), _NOT_SET)
            scale.copy_(torch.where(scale > 0, scale, found))


def _is_set(scale: Tensor) -> bool:
    """Whether the factor needs no batch more. False where Python cannot know its number."""
    if torch.compiler.is_compiling():
        return False
    try:
        return bool(scale.item() > 0)
    except RuntimeError:  # of vmap, and of tensors without numbers
        return False


@torch.no_grad()
def inhibited_orthogonal_(recurrent_kernel: Tensor) -> None:
    """Small orthogonal weights, with which every unit's state holds back its own candidate."""
    units, columns = recurrent_kernel.shape
    # 16 bits have no QR decomposition.
    drawn = torch.empty(units, columns, device=recurrent_kernel.device, dtype=torch.float64)
    nn.init.orthogonal_(drawn, _GAIN)
    drawn.diagonal(units).sub_(_INHIBITION)
    recurrent_kernel.copy_(drawn)
