"""MinAddGRU in float64 NumPy: what every implementation is compared with.

Written from the equations of docs/explanation/parallel-in-time.md alone: it imports nothing of the
package, loops over time and taps in plain Python, and prefers clarity to speed. Every kink has
derivative 0 at the kink.
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


class _Run:
    """The forward pass, in the order of processing, with what the gradient needs."""

    def __init__(
        self, x, kernel, bias, initial_state, mask, initial_inputs, activation, go_backwards
    ):
        x, kernel = _float64(x), _float64(kernel)
        batch, self.steps, features = x.shape
        self.taps, _, columns = kernel.shape
        self.units = columns // 2
        self.kernel = kernel
        bias = np.zeros(columns) if bias is None else _float64(bias)
        state = np.zeros((batch, self.units)) if initial_state is None else _float64(initial_state)
        self.initial_state = state
        mask = np.ones((batch, self.steps), bool) if mask is None else np.asarray(mask, bool)
        self.mask = mask[:, ::-1] if go_backwards else mask
        x = x[:, ::-1] if go_backwards else x

        # read[i] is what a tap reads i - (taps - 1) steps after the first one: `[B, D]`.
        self.read = [np.zeros((batch, features)) for _ in range(self.taps - 1)]
        if initial_inputs is not None:
            self.read = [_float64(initial_inputs)[:, i] for i in range(self.taps - 1)]
        for t in range(self.steps):
            self.read.append(np.where(self.mask[:, t, None], x[:, t], 0.0))

        self.u, self.z, self.states = [], [], [_positive(state)]
        for t in range(self.steps):
            sums = bias
            for tap in range(self.taps):
                sums = sums + self.read[t + tap] @ kernel[tap]
            u, z = sums[:, : self.units], sums[:, self.units :]
            faded = self.states[-1] - _positive(-u)
            written = _positive(_ACTIVATIONS[activation][0](z) - _positive(u))
            self.u.append(u)
            self.z.append(z)
            self.states.append(
                np.where(self.mask[:, t, None], np.maximum(faded, written), self.states[-1])
            )


def min_add_gru(
    x,
    kernel,
    bias=None,
    initial_state=None,
    mask=None,
    initial_inputs=None,
    activation="relu",
    go_backwards=False,
):
    """Runs the recurrence over `x` `[B, T, D]` with a kernel `[w, D, 2H]`.

    Returns:
        `{"outputs": [B, T, H], "state": [B, H], "last_inputs": [B, w - 1, D]}`. With
        `go_backwards`, `outputs[:, 0]` belongs to the last input.
    """
    run = _Run(x, kernel, bias, initial_state, mask, initial_inputs, activation, go_backwards)
    batch, _, features = np.shape(x)
    outputs = np.zeros((batch, run.steps, run.units))
    for t in range(run.steps):
        outputs[:, t] = run.states[t + 1]
    last_inputs = np.zeros((batch, run.taps - 1, features))
    for i in range(run.taps - 1):
        last_inputs[:, i] = run.read[run.steps + i]
    return {"outputs": outputs, "state": run.states[-1], "last_inputs": last_inputs}


def min_add_gru_gradients(
    x,
    kernel,
    bias=None,
    initial_state=None,
    mask=None,
    initial_inputs=None,
    activation="relu",
    go_backwards=False,
    d_outputs=None,
    d_state=None,
):
    """The analytic gradient of `sum(outputs * d_outputs) + sum(state * d_state)`.

    Returns:
        A dict with `inputs`, `kernel`, `bias`, `initial_state` and `initial_inputs`, also for those
        that were left out (zeros).
    """
    run = _Run(x, kernel, bias, initial_state, mask, initial_inputs, activation, go_backwards)
    value, derivative = _ACTIVATIONS[activation]
    d_kernel = np.zeros_like(run.kernel)
    d_bias = np.zeros(2 * run.units)
    d_read = [np.zeros_like(read) for read in run.read]
    carry = np.zeros_like(run.states[-1]) if d_state is None else _float64(d_state).copy()
    for t in reversed(range(run.steps)):
        if d_outputs is not None:
            carry = carry + _float64(d_outputs)[:, t]
        runs = run.mask[:, t, None]  # where false, the state and its gradient pass by untouched
        g = np.where(runs, carry, 0.0)
        u, z = run.u[t], run.z[t]
        above = value(z) - _positive(u)
        kept = run.states[t] - _positive(-u) > _positive(above)
        d_u = g * kept * (u < 0) - g * ~kept * (above > 0) * (u > 0)
        d_z = g * ~kept * (above > 0) * derivative(z)
        d_sums = np.concatenate([d_u, d_z], axis=1)
        d_bias += d_sums.sum(axis=0)
        for tap in range(run.taps):
            d_kernel[tap] += run.read[t + tap].T @ d_sums
            d_read[t + tap] += d_sums @ run.kernel[tap].T
        carry = np.where(runs, kept * g, carry)

    d_x = np.zeros(np.shape(x))
    for t in range(run.steps):
        d_x[:, t] = np.where(run.mask[:, t, None], d_read[t + run.taps - 1], 0.0)
    d_initial_inputs = np.zeros((d_x.shape[0], run.taps - 1, d_x.shape[2]))
    for i in range(run.taps - 1):
        d_initial_inputs[:, i] = d_read[i]
    return {
        "inputs": d_x[:, ::-1] if go_backwards else d_x,
        "kernel": d_kernel,
        "bias": d_bias,
        "initial_state": carry * (run.initial_state > 0),
        "initial_inputs": d_initial_inputs,
    }


def kink_distance(
    x,
    kernel,
    bias=None,
    initial_state=None,
    mask=None,
    initial_inputs=None,
    activation="relu",
    go_backwards=False,
):
    """How near each row of the batch comes to a kink: `[B]`.

    A distance of exactly 0 is left out: a state that has sat at 0 since the step before, say.
    """
    run = _Run(x, kernel, bias, initial_state, mask, initial_inputs, activation, go_backwards)
    nearest = np.full(run.initial_state.shape[0], np.inf)

    def meet(distance, runs):
        nonlocal nearest
        distance = np.where(runs & (distance != 0), np.abs(distance), np.inf)
        nearest = np.minimum(nearest, distance.min(axis=1, initial=np.inf))

    meet(run.initial_state, True)
    for t in range(run.steps):
        runs, u, z = run.mask[:, t, None], run.u[t], run.z[t]
        above = _ACTIVATIONS[activation][0](z) - _positive(u)
        for distance in (u, above, run.states[t] - _positive(-u) - _positive(above)):
            meet(distance, runs)
        for kink in _ACTIVATION_KINKS[activation]:
            meet(z - kink, runs)
    return nearest
