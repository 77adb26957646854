"""The op as a function of PyTorch's tensors."""

import torch

from addrnn import _validation
from addrnn.gate import ACTIVATIONS, DTYPES, Gate
from addrnn.sequence import SequenceTensors, check_dtypes, check_shapes
from addrnn.torch import _add_gru, _tensors
from addrnn.torch._operators import needs_gradient

Tensor = torch.Tensor


@torch.compiler.assume_constant_result
def _gate(activation: str, state_shift: float, state_max: float | None) -> Gate:
    """The settings, which `torch.compile` takes for constants: it cannot follow their rounding."""
    return Gate(activation, state_shift, state_max)


def add_gru(
    inputs: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    initial_state: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    activation: str = "relu",
    state_shift: float = 0.0,
    state_max: float | None = None,
    go_backwards: bool = False,
) -> tuple[Tensor, Tensor]:
    """An addition-gated recurrence over whole sequences (arXiv 2308.05629, section 3.1).

    With `u_t` the update gate and `c_t` the candidate,

        [u_t | z_t] = x_t @ kernel + h_{t-1} @ recurrent_kernel + bias
        c_t = activation(z_t)
        h_t = relu(h_{t-1} + s - relu(-u_t)) + relu(c_t + s - relu(u_t)) - s

    where `s` is `state_shift`, and `h_t` is at most `state_max`.

    It runs on CPUs. Autograd differentiates it once. `torch.compile` and `torch.export` keep it as
    the operator `addrnn::add_gru`, which a process knows that has imported `addrnn.torch`.
    Where autograd will differentiate it, one byte per unit and step is kept. Within
    `torch.autocast("cpu")` it computes in float32.

    Args:
        inputs: Floating-point tensor `[B, T, D]`. `B` and `T` may be 0.
        kernel: Tensor `[D, 2H]`.
        recurrent_kernel: Tensor `[H, 2H]`.
        bias: Tensor `[2H]`. None for zeros.
        initial_state: Tensor `[B, H]`. None for zeros.
        mask: Boolean tensor `[B, T]`. At a step where it is False the state stays as it is, and is
            the output of that step too.
        activation: Of the candidate: `"linear"`, `"relu"`, `"hard_tanh"` or `"tanh"`.
        state_shift: Finite number of at least 0, by which the state is shifted inside the gate. The
            state is never below `-state_shift`.
        state_max: Finite number above `-state_shift`, the upper bound of the state, or None.
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
    >>> kernel, recurrent_kernel = torch.randn(8, 2 * 4), torch.zeros(4, 2 * 4)
    >>> outputs, state = addrnn.torch.add_gru(x, kernel, recurrent_kernel)
    >>> outputs.shape, state.shape
    (torch.Size([32, 10, 4]), torch.Size([32, 4]))
    """
    _validation.one_of("activation", activation, ACTIVATIONS)
    gate = _gate(activation, state_shift, state_max)
    go_backwards = _validation.flag("go_backwards", go_backwards)
    tensors = SequenceTensors(inputs, kernel, recurrent_kernel, bias, initial_state, mask)
    return checked(tensors, gate=gate, go_backwards=go_backwards)


def checked(tensors: SequenceTensors, *, gate: Gate, go_backwards: bool) -> tuple[Tensor, Tensor]:
    """As `add_gru`, with settings that have been checked."""
    tensors = _tensors.prepare(tensors)
    check_shapes(tensors.map(_tensors.shape_of))
    dtypes = tensors.map(_tensors.dtype_name)
    check_dtypes(dtypes, one_step=False, is_float=dtypes.inputs in DTYPES, cast="torch.Tensor.to")
    return run(tensors, gate=gate, go_backwards=go_backwards)


def run(
    tensors: SequenceTensors, *, gate: Gate, go_backwards: bool, training: bool = False
) -> tuple[Tensor, Tensor]:
    """As `add_gru`, for tensors that fit. Inputs `[B, D]` are one step, with outputs `[B, H]`.

    Autograd, and not `training`, tells whether a gradient will follow.
    """
    outputs, state, _, _ = _add_gru.add_gru(
        *tensors,
        gate.activation,
        gate.state_shift,
        gate.state_max,
        go_backwards,
        needs_gradient(tensors),
    )
    return outputs, state
