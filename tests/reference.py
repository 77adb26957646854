"""The addition-gated recurrence in float64 NumPy: what every implementation is compared with.

Written from the equations alone (arXiv 2308.05629, section 3.1, with a bound on the state added):
it imports nothing of the package, loops over time in plain Python, and prefers clarity to speed.
Every kink has derivative 0 at the kink.
"""

import numpy as np

_ACTIVATIONS = {
    "linear": (lambda z: z, lambda z: np.ones_like(z)),
    "relu": (lambda z: np.maximum(z, 0.0), lambda z: (z > 0).astype(float)),
    "hard_tanh": (lambda z: np.clip(z, -1.0, 1.0), lambda z: (np.abs(z) < 1).astype(float)),
    "tanh": (np.tanh, lambda z: 1.0 - np.tanh(z) ** 2),
}

# Where each activation's derivative jumps.
_ACTIVATION_KINKS = {"linear": (), "relu": (0.0,), "hard_tanh": (-1.0, 1.0), "tanh": ()}


def _positive(v):
    return np.maximum(v, 0.0)


def _float64(value):
    return None if value is None else np.asarray(value, np.float64)


class _Step:
    """Every quantity of one step, by the names of the equations; all are [B, H]."""

    def __init__(self, x_t, h_before, weights, activation, shift, bound):
        kernel, recurrent_kernel, bias = weights
        units = recurrent_kernel.shape[0]
        z = x_t @ kernel + h_before @ recurrent_kernel + bias
        self.u = z[:, :units]
        self.z_c = z[:, units:]
        self.c = _ACTIVATIONS[activation][0](self.z_c)
        self.kept = h_before + shift - _positive(-self.u)
        self.written = self.c + shift - _positive(self.u)
        self.unbounded = _positive(self.kept) + _positive(self.written) - shift
        self.h = np.minimum(self.unbounded, bound)


def _prepare(x, kernel, recurrent_kernel, bias, initial_state, mask, state_max, go_backwards):
    """Everything as float64, defaults filled in, and the time indices in processing order."""
    x, kernel, recurrent_kernel = _float64(x), _float64(kernel), _float64(recurrent_kernel)
    batch, steps, _ = x.shape
    units = recurrent_kernel.shape[0]
    bias = np.zeros(2 * units) if bias is None else _float64(bias)
    h = np.zeros((batch, units)) if initial_state is None else _float64(initial_state)
    mask = np.ones((batch, steps), bool) if mask is None else np.asarray(mask, bool)
    bound = np.inf if state_max is None else float(state_max)
    order = range(steps - 1, -1, -1) if go_backwards else range(steps)
    return x, (kernel, recurrent_kernel, bias), h, mask, bound, list(order)


def _run(x, weights, h, mask, activation, shift, bound, order):
    """Returns the steps in processing order and the states `[h_0, h_1, ..., h_T]`."""
    steps, states = [], [h]
    for t in order:
        step = _Step(x[:, t], states[-1], weights, activation, shift, bound)
        steps.append(step)
        states.append(np.where(mask[:, t, None], step.h, states[-1]))
    return steps, states


def add_gru(
    x,
    kernel,
    recurrent_kernel,
    bias=None,
    initial_state=None,
    mask=None,
    activation="relu",
    state_shift=0.0,
    state_max=None,
    go_backwards=False,
):
    """Runs the recurrence over `x` `[B, T, D]`.

    Returns:
        `{"outputs": [B, T, H], "state": [B, H]}`. With `go_backwards`, `outputs[:, 0]` belongs to
        the last input.
    """
    x, weights, h, mask, bound, order = _prepare(
        x, kernel, recurrent_kernel, bias, initial_state, mask, state_max, go_backwards
    )
    _, states = _run(x, weights, h, mask, activation, state_shift, bound, order)
    outputs = np.zeros((x.shape[0], len(order), h.shape[1]))
    for i in range(len(order)):
        outputs[:, i] = states[i + 1]
    return {"outputs": outputs, "state": states[-1]}


def add_gru_gradients(
    x,
    kernel,
    recurrent_kernel,
    bias=None,
    initial_state=None,
    mask=None,
    activation="relu",
    state_shift=0.0,
    state_max=None,
    go_backwards=False,
    d_outputs=None,
    d_state=None,
):
    """The analytic gradient of `sum(outputs * d_outputs) + sum(state * d_state)`.

    Returns:
        `{"inputs": [B, T, D], "kernel": [D, 2H], "recurrent_kernel": [H, 2H], "bias": [2H],
        "initial_state": [B, H]}`, also for a bias or an initial state that was left out (zeros).
    """
    x, weights, h, mask, bound, order = _prepare(
        x, kernel, recurrent_kernel, bias, initial_state, mask, state_max, go_backwards
    )
    kernel, recurrent_kernel, bias = weights
    steps, states = _run(x, weights, h, mask, activation, state_shift, bound, order)
    derivative = _ACTIVATIONS[activation][1]

    d_x = np.zeros_like(x)
    d_kernel = np.zeros_like(kernel)
    d_recurrent_kernel = np.zeros_like(recurrent_kernel)
    d_bias = np.zeros_like(bias)
    carry = np.zeros_like(h) if d_state is None else _float64(d_state).copy()
    for i in reversed(range(len(order))):
        t, step, h_before = order[i], steps[i], states[i]
        if d_outputs is not None:
            carry = carry + _float64(d_outputs)[:, i]
        runs = mask[:, t, None]  # where false, the state and its gradient pass by untouched
        g = np.where(runs & (step.unbounded < bound), carry, 0.0)
        k = step.kept > 0
        w = step.written > 0
        d_u = k * (step.u < 0) * g - w * (step.u > 0) * g
        d_z_c = w * g * derivative(step.z_c)
        d_z = np.concatenate([d_u, d_z_c], axis=1)
        d_x[:, t] = d_z @ kernel.T
        d_kernel += x[:, t].T @ d_z
        d_recurrent_kernel += h_before.T @ d_z
        d_bias += d_z.sum(axis=0)
        carry = np.where(runs, k * g + d_z @ recurrent_kernel.T, carry)
    return {
        "inputs": d_x,
        "kernel": d_kernel,
        "recurrent_kernel": d_recurrent_kernel,
        "bias": d_bias,
        "initial_state": carry,
    }


def kinks(
    x,
    kernel,
    recurrent_kernel,
    bias=None,
    initial_state=None,
    mask=None,
    activation="relu",
    state_shift=0.0,
    state_max=None,
    go_backwards=False,
):
    """How far every quantity with a kink is from it: by name, `[B, T, H]` in processing order.

    Infinite where masked and where there is no kink.
    """
    x, weights, h, mask, bound, order = _prepare(
        x, kernel, recurrent_kernel, bias, initial_state, mask, state_max, go_backwards
    )
    steps, _ = _run(x, weights, h, mask, activation, state_shift, bound, order)
    names = ("u", "kept", "written", "bound", "z_c")
    distances = {name: np.full((x.shape[0], len(order), h.shape[1]), np.inf) for name in names}
    for i, (t, step) in enumerate(zip(order, steps, strict=True)):
        z_c = [np.abs(step.z_c - kink) for kink in _ACTIVATION_KINKS[activation]]
        values = {
            "u": np.abs(step.u),
            "kept": np.abs(step.kept),
            "written": np.abs(step.written),
            "bound": np.abs(bound - step.unbounded),
            "z_c": np.min(z_c, axis=0) if z_c else np.inf,
        }
        for name, value in values.items():
            distances[name][:, i] = np.where(mask[:, t, None], value, np.inf)
    return distances


def numeric_gradient(f, x, eps=1e-6):
    """The gradient of the scalar `f(x)` by central differences in float64, in the shape of `x`."""
    x = np.array(x, np.float64)
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        center = x[i]
        x[i] = center + eps
        above = f(x)
        x[i] = center - eps
        below = f(x)
        x[i] = center
        gradient[i] = (above - below) / (2 * eps)
    return gradient
