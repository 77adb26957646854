"""The integer recurrences in plain Python integers: the equations of docs/explanation/integer.md.

It imports nothing, and does no NumPy arithmetic. A layer is a dict of nested lists and integers,
named like the fields of `IntegerAddGRU` and `IntegerMinAddGRU`. Python's integers have no bounds,
so nothing overflows, and the update gate is not clipped: that this changes nothing is for the
others to show.
"""


def run_layer(layer, inputs, initial_state=None, mask=None):
    """The states `[B][T][H]` in the order of processing, and the last one `[B][H]`."""
    outputs, last = [], []
    for row, sequence in enumerate(inputs):
        state = [0] * len(layer["recurrent_kernel"])
        if initial_state is not None:
            state = list(initial_state[row])
        states = []
        steps = list(range(len(sequence)))
        for t in reversed(steps) if layer["go_backwards"] else steps:
            if mask is None or mask[row][t]:
                state = step(layer, sequence[t], state)
            states.append(state)
        outputs.append(states)
        last.append(state)
    return outputs, last


def step(layer, x, h):
    """The state `[H]` after a step with the inputs `x` `[D]`."""
    units = len(h)
    shift, bound = layer["state_shift"], layer["state_max"]
    result = []
    for unit in range(units):
        u = gate(layer, x, h, unit)
        c = gate(layer, x, h, units + unit)
        c = min(max(c, layer["candidate_min"]), layer["candidate_max"])
        kept = relu(h[unit] + shift - relu(-u))
        written = relu(c + shift - relu(u))
        result.append(min(kept + written - shift, bound))
    return result


def gate(layer, x, h, j):
    """Column `j`'s accumulator, brought to the scale of the state."""
    over_inputs = sum(a * row[j] for a, row in zip(x, layer["kernel"], strict=True))
    over_state = sum(a * row[j] for a, row in zip(h, layer["recurrent_kernel"], strict=True))
    accumulator = (
        over_inputs * 2 ** layer["kernel_shift"][j]
        + over_state * 2 ** layer["recurrent_shift"][j]
        + layer["bias"][j]
    )
    return rescale(layer, accumulator, j)


def rescale(layer, accumulator, j):
    if layer["multiplier"] is not None:
        accumulator *= layer["multiplier"][j]
    # floor(a / 2^n + 1/2), as one fraction.
    divisor = 2 ** layer["shift"][j]
    return (2 * accumulator + divisor) // (2 * divisor)


def run_min_layer(layer, inputs, initial_state=None, mask=None, initial_inputs=None):
    """As `run_layer`, of the layer whose gates read the last inputs alone."""
    outputs, last = [], []
    size, features = len(layer["kernel"]), len(layer["kernel"][0])
    units = len(layer["bias"]) // 2
    zeros = [layer["input_zero_point"]] * features
    for row, sequence in enumerate(inputs):
        window = [zeros] * (size - 1) if initial_inputs is None else list(initial_inputs[row])
        state = [0] * units if initial_state is None else list(initial_state[row])
        states = []
        steps = list(range(len(sequence)))
        for t in reversed(steps) if layer["go_backwards"] else steps:
            written = mask is None or mask[row][t]
            window.append(list(sequence[t]) if written else zeros)
            if written:
                state = min_step(layer, window, state)
            states.append(state)
            window = window[1:]
        outputs.append(states)
        last.append(state)
    return outputs, last


def min_step(layer, window, h):
    """The state `[H]` after a step that reads `window` `[w][D]`."""
    units, result = len(h), []
    for unit in range(units):
        u = window_gate(layer, window, unit)
        c = min(window_gate(layer, window, units + unit), layer["candidate_max"])
        result.append(max(h[unit] - relu(-u), relu(c - relu(u))))
    return result


def window_gate(layer, window, j):
    """As `gate`, of a sum over all inputs of a window."""
    accumulator = layer["bias"][j]
    for x, kernel in zip(window, layer["kernel"], strict=True):
        accumulator += sum(a * row[j] for a, row in zip(x, kernel, strict=True))
    return rescale(layer, accumulator, j)


def relu(value):
    return max(value, 0)


def run_dense(layer, features):
    """The accumulators `[C]` of one row of features `[F]`."""
    return [
        sum(a * row[j] for a, row in zip(features, layer["kernel"], strict=True)) + bias
        for j, bias in enumerate(layer["bias"])
    ]
