"""Calls of the compiled core on NumPy arrays, without any framework; their results are reused."""

import numpy as np

SETTINGS = {"activation": "relu", "go_backwards": False}
OF_ADD_GRU = {"state_shift": 0.0, "state_max": None}


def forward(name, threads, inputs, weights):
    """A function that calls `"add_gru"` or `"min_add_gru"`.

    Args:
        name: Of the recurrence.
        threads: Number of threads.
        inputs: `[B, T, D]`.
        weights: Its arrays in the core's order: kernels, and a bias if it is to have one.
    """
    return _forward(name, threads, inputs, weights, *_results(inputs, weights))


def forward_and_backward(name, threads, inputs, weights):
    """The same with the gradients of the weights, from gradients of ones."""
    from addrnn import _core

    outputs, state = _results(inputs, weights)
    reserve = np.empty(outputs.shape, np.uint8)
    compute = _forward(name, threads, inputs, weights, outputs, state, reserve)
    kernels = [array for array in weights if array.ndim > 1]
    d_bias, d_state = np.empty(2 * state.shape[1], inputs.dtype), np.empty_like(state)
    d_kernels, ones = map(np.empty_like, kernels), map(np.ones_like, (outputs, state))
    if name == "add_gru":
        given = [inputs, *kernels, None, outputs, reserve, None, *ones]
        made = [None, *d_kernels, d_bias, d_state]
    else:
        given = [inputs, *kernels, None, None, None, reserve, None, *ones]
        made = [None, *d_kernels, d_bias, d_state, None]
    gradient = getattr(_core, f"{name}_grad")

    def call():
        compute()
        gradient(*map(_capsule, (*given, *made)), **SETTINGS)

    return call


def _results(inputs, weights):
    (batch, steps, _), units = inputs.shape, weights[0].shape[-1] // 2
    return [np.empty(shape, inputs.dtype) for shape in ((batch, steps, units), (batch, units))]


def _forward(name, threads, inputs, weights, *results):
    from addrnn import _core

    _core.set_num_threads(threads)
    absent = [None] * (5 - len(weights))  # of six tensors
    settings = SETTINGS | (OF_ADD_GRU if name == "add_gru" else {})
    compute = getattr(_core, name)

    def call():
        compute(*map(_capsule, (inputs, *weights, *absent, *results)), **settings)
        return results

    return call


def _capsule(array):
    return None if array is None else array.__dlpack__()
