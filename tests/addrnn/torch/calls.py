"""One way to run and differentiate `addrnn.torch` on the problems of the tests."""

import numpy as np


def tensor(array, dtype="float64"):
    """A tensor of that array; None stays None."""
    import torch

    return None if array is None else torch.tensor(np.array(array), dtype=getattr(torch, dtype))


def to_numpy(tensor):
    """A tensor as float64 NumPy."""
    return tensor.detach().double().numpy()


def call(function, problem, tensors):
    """The function on tensors by name, with the problem's mask and settings."""
    import torch

    mask = None if problem.mask is None else torch.tensor(np.array(problem.mask))
    return function(**tensors, mask=mask, **problem.settings)


def run(function, problem, dtype="float64", watch=None):
    """Results and gradients by name, as float64 NumPy; of the arguments watched, all by default."""
    tensors = {name: tensor(array, dtype) for name, array in problem.arrays.items()}
    watched = {name: tensors[name].requires_grad_() for name in watch or tensors}
    outputs, state = call(function, problem, tensors)
    upstream = [tensor(problem.d_outputs, dtype), tensor(problem.d_state, dtype)]
    import torch

    gradients = torch.autograd.grad((outputs, state), watched.values(), upstream)
    assert outputs.dtype == state.dtype == tensors["inputs"].dtype
    return (
        {"outputs": to_numpy(outputs), "state": to_numpy(state)},
        {n: to_numpy(gradient) for n, gradient in zip(watched, gradients, strict=True)},
    )
