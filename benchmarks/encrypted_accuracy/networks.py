"""Integer networks whose gate multiplies, as circuits on encrypted numbers, and in NumPy.

An `IntegerModel` describes one, as it does those whose gate adds: the same sums, then the gate
"mul, 4 PBS" of encrypted_gates/circuits.py in place of the layer's. Tables read the sigmoid and the
candidate from the sums themselves. What helps a gate that adds helps it too: bits that are rounded
away are cut off first, and the dense layer reads a copy of the last state.
"""

import functools
import itertools

import numpy as np

from addrnn import reference
from addrnn.fhe._accumulator import CANDIDATE, UPDATE, Accumulator
from addrnn.fhe._bounds import BoundedTracer, check_bit_widths, graph_processor
from addrnn.fhe._concrete import concrete
from addrnn.layers import IntegerMinAddGRU


def parts_of(gate):
    """Into how many parts of the state's unit the update gate is rounded."""
    return 1 if gate == "minGRU, coarse" else 2


def sigmoid(sums, shift, most, parts):
    """The gate, from 0 to `most`, of the sums with their bias, rounded to parts of a unit."""
    bits = parts.bit_length() - 1
    sums = sums << np.maximum(bits - shift.astype(int), 0)
    u = reference.round_shift(sums, np.maximum(shift.astype(int) - bits, 0))
    u = np.clip(u, -parts * (most + 1), parts * (most + 1) - 1)
    return np.rint(most / (1 + np.exp(-u * (4 / parts / (most + 1))))).astype(np.int64)


def quarter_square(values, most):
    return np.rint(values**2 / (4.0 * most)).astype(np.int64)


def answers(model, inputs, parts):
    """The scores of integers `[B, T, D]`, in NumPy: what has to come out."""
    layer, dense = model.layers
    most, shift = layer.state_max, layer.shift
    state = np.zeros((len(inputs), layer.units), np.int64)
    for x in inputs.astype(np.int64).swapaxes(0, 1):
        if isinstance(layer, IntegerMinAddGRU):
            sums = x @ layer.kernel[0].astype(np.int64)
        else:
            sums = x @ layer.kernel.astype(np.int64) + state @ layer.recurrent_kernel.astype(int)
        u, z = np.split(sums + layer.bias, 2, axis=1)
        g = sigmoid(u, shift[: layer.units], most, parts)
        c = np.clip(reference.round_shift(z, shift[layer.units :]), 0, most)
        product = quarter_square(g + state - c, most) - quarter_square(g - state + c, most)
        state = c + product
    return reference.run_dense(dense, state)


def compiled(model, parts, timesteps, input_range, global_p_error):
    """The cheapest `concrete.fhe.Circuit`, as `addrnn.fhe.compile` chooses one, and its form."""
    configuration = concrete().Configuration(
        global_p_error=global_p_error,
        dump_artifacts_on_unexpected_failures=False,
        compress_evaluation_keys=True,
        compress_input_ciphertexts=True,
        additional_pre_processors=[graph_processor()],
    )
    sample = np.full((timesteps, model.features), input_range[0])
    refreshing = (False,) if isinstance(model.layers[0], IntegerMinAddGRU) else (False, True)
    circuits = {}
    for options in itertools.product((False, True), refreshing):
        made = _compiled(
            functools.partial(_trace, model, parts, input_range, *options), sample, configuration
        )
        named = zip(("truncated", "refreshed"), options, strict=True)
        circuits[" and ".join(name for name, used in named if used) or "plain"] = made
    form = min(circuits, key=lambda name: circuits[name].complexity)
    return circuits[form], form


def _compiled(trace, sample, configuration):
    def circuit(inputs):
        return trace(inputs)

    made = concrete().Compiler(circuit, {"inputs": "encrypted"}).compile([sample], configuration)
    check_bit_widths(made.graph)
    return made


def _trace(model, parts, input_range, truncate, refresh, inputs):
    """The scores of one sequence.

    Args:
        truncate: Whether bits that are rounded away are cut off before a table.
        refresh: Whether sums read a copy of the state, whose bits are not the gate's.
        inputs: Tracer `[T, D]`.
    """
    layer, dense = model.layers
    most, state = layer.state_max, None
    sequence = BoundedTracer(inputs, *input_range)

    def copy(state):
        return state.bootstrap(lambda values: values, "state")

    def product(value):
        return value.lookup(lambda values: quarter_square(values, most), "product")

    for t in range(inputs.shape[0]):
        read = copy(state) if refresh and state is not None else state
        u, z = (_sums(layer, half, sequence[t], read) for half in (UPDATE, CANDIDATE))

        def gate(values, u=u):
            return sigmoid(values * u.factor + u.bias, u.shift, most, parts)

        def candidate(values, z=z):
            return np.clip(z.rescale(values), 0, most)

        g = u.value.lookup(gate, "update gate", truncate=truncate)
        c = z.value.lookup(candidate, "candidate", truncate=truncate)
        up, down = (g - c, g + c) if state is None else (g + state - c, g - state + c)
        state = (c + product(up) - product(down)).within(0, most)
    scores = copy(state) @ dense.kernel.astype(np.int64) + dense.bias.astype(np.int64)
    return scores.tracer


def _sums(layer, half, inputs, state):
    if isinstance(layer, IntegerMinAddGRU):
        return Accumulator.of_min_add_gru(layer, half, [inputs])
    return Accumulator.of_add_gru(layer, half, inputs, state)
