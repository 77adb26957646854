"""The op of the recurrence with gates on inputs alone, as a function of PyTorch's tensors."""

import torch

from addrnn import _validation
from addrnn.gate import ACTIVATIONS, DTYPES
from addrnn.torch import _min_add_gru, _tensors
from addrnn.torch._operators import needs_gradient
from addrnn.window_sequence import WindowTensors, check_dtypes, check_shapes

Tensor = torch.Tensor


def min_add_gru(
    inputs: Tensor,
    kernel: Tensor,
    bias: Tensor | None = None,
    initial_state: Tensor | None = None,
    mask: Tensor | None = None,
    initial_inputs: Tensor | None = None,
    *,
    activation: str = "relu",
    go_backwards: bool = False,
) -> tuple[Tensor, Tensor]:
    """A recurrence whose addition-based gates read the inputs alone, over whole sequences.

    With `w` the number of inputs that a step reads, `u_t` the update gate and `c_t` the candidate,

        [u_t | z_t] = x_{t-w+1} @ kernel[0] + ... + x_t @ kernel[w - 1] + bias
        c_t = activation(z_t)
        h_t = max(h_{t-1} - relu(-u_t), relu(c_t - relu(u_t)))

    It runs on CPUs. Autograd differentiates it once. `torch.compile` and `torch.export` keep it as
    the operator `addrnn::min_add_gru`, which a process knows that has imported `addrnn.torch`.
    Where autograd will differentiate it, one byte per unit and step is kept. Within
    `torch.autocast("cpu")` it computes in float32. docs/explanation/parallel-in-time.md has the
    sources.

    Args:
        inputs: Floating-point tensor `[B, T, D]`. `B` and `T` may be 0.
        kernel: Tensor `[w, D, 2H]`.
        bias: Tensor `[2H]`. None for zeros.
        initial_state: Tensor `[B, H]`, of which numbers below 0 count as 0. None for zeros.
        mask: Boolean tensor `[B, T]`. At a step where it is False the state stays as it is, and is
            the output of that step too. Its input reads as 0.
        initial_inputs: Tensor `[B, w - 1, D]`, the inputs before the first step, oldest first. None
            for zeros.
        activation: Of the candidate: `"linear"`, `"relu"`, `"hard_tanh"` or `"tanh"`.
        go_backwards: Whether to read inputs and mask from the last step to the first. The outputs
            are in the order of processing.

    Returns:
        A tuple `(outputs, state)`: the states after each step `[B, T, H]`, and the last `[B, H]`.

    Raises:
        ValueError: A shape, a device or a setting does not fit. Its `argument` is the argument's
            name.
        TypeError: The tensors have different dtypes, or not a floating-point one.
        RuntimeError: There is no compiled core; says what to do.

    Example:

    >>> x = torch.randn(32, 10, 8)
    >>> outputs, state = addrnn.torch.min_add_gru(x, torch.randn(3, 8, 2 * 4))
    >>> outputs.shape, state.shape
    (torch.Size([32, 10, 4]), torch.Size([32, 4]))
    """
    _validation.one_of("activation", activation, ACTIVATIONS)
    go_backwards = _validation.flag("go_backwards", go_backwards)
    tensors = WindowTensors(inputs, kernel, bias, initial_state, mask, initial_inputs)
    return checked(tensors, activation=activation, go_backwards=go_backwards)


def checked(
    tensors: WindowTensors, *, activation: str, go_backwards: bool
) -> tuple[Tensor, Tensor]:
    """As `min_add_gru`, with settings that have been checked."""
    tensors = _tensors.prepare(tensors)
    check_shapes(tensors.map(_tensors.shape_of))
    dtypes = tensors.map(_tensors.dtype_name)
    check_dtypes(dtypes, is_float=dtypes.inputs in DTYPES, cast="torch.Tensor.to")
    return run(tensors, activation=activation, go_backwards=go_backwards)


def run(
    tensors: WindowTensors, *, activation: str, go_backwards: bool, training: bool = False
) -> tuple[Tensor, Tensor]:
    """As `min_add_gru`, for tensors that fit.

    Autograd, and not `training`, tells whether a gradient will follow.
    """
    outputs, state, _, _ = _min_add_gru.min_add_gru(
        *tensors, activation, go_backwards, needs_gradient(tensors)
    )
    return outputs, state
