"""What is checked of PyTorch's tensors before they go into an operator."""

from typing import Any

import torch

from addrnn import _validation

# On "meta" a tensor has a shape, and no numbers.
_DEVICES = ("cpu", "meta")


def prepare(structure: Any) -> Any:
    """The structure of tensors, checked to be such on a CPU; its mask becomes Boolean.

    Within `torch.autocast("cpu")` tensors of 16 bits become float32: the recurrence adds up many
    small numbers, and is not faster with fewer bits.

    Args:
        structure: `SequenceTensors` or `WindowTensors`.

    Raises:
        ArgumentTypeError: Something is no tensor.
        ArgumentValueError: A tensor is on another device, or sparse.
    """
    structure.require_weights()
    for name, tensor in structure._asdict().items():
        if tensor is not None:
            _check(name, tensor)
    if torch.is_autocast_enabled("cpu"):
        structure = structure.map(_widened)
    if structure.mask is not None:
        structure = structure._replace(mask=structure.mask.bool())
    return structure


def shape_of(tensor: torch.Tensor) -> tuple[int, ...]:
    """The sizes of a tensor."""
    return tuple(tensor.shape)


def dtype_name(tensor: torch.Tensor) -> str:
    """The name of a tensor's dtype, such as "float32"."""
    return str(tensor.dtype).removeprefix("torch.")


def _check(name: str, tensor: Any) -> None:
    if not isinstance(tensor, torch.Tensor):
        raise _validation.type_error(
            name, "be a tensor of PyTorch", type(tensor).__name__, "Use `torch.as_tensor`."
        )
    if tensor.device.type not in _DEVICES:
        raise _validation.value_error(
            name, "be on a CPU", f"device={tensor.device}", "Move it there with `.cpu()`."
        )
    if tensor.layout != torch.strided:
        raise _validation.value_error(
            name, "be dense", f"layout={tensor.layout}", "Use `.to_dense()`."
        )


def _widened(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
