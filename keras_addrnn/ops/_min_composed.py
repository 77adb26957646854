"""MinAddGRU in plain `keras.ops`: any backend, any activation, any device; no loop over time.

Every kink has derivative 0 at the kink itself, and no comparison hides a NaN.
"""

import keras

from addrnn.gate import Gate
from addrnn.window_sequence import WindowTensors
from keras_addrnn.ops import _lowering
from keras_addrnn.ops._activations import activate, activate_integers
from keras_addrnn.ops._fading_maximum import fading_maximum, last_state, where_or_zero


def min_add_gru(
    tensors: WindowTensors, *, gate: Gate, go_backwards: bool, return_sequences: bool = True
):
    """The recurrence over a whole sequence, whose mask, if any, is Boolean.

    Returns:
        The states after each step, in the order of processing, `[B, T, H]`, or None where they are
        not computed without `return_sequences`; and the last `[B, H]`.
    """
    tensors = in_order(tensors, go_backwards)
    fading, written = _fading_and_written(pre_activations(tensors), gate)
    if tensors.mask is not None:
        # A step of zeros changes no state.
        fading, written = _where(tensors.mask, fading), _where(tensors.mask, written)
    initial_state = tensors.initial_state
    if initial_state is not None:
        initial_state = keras.ops.relu(initial_state)
    if not return_sequences and _lowering.current() is not None and _some(fading.shape[1]):
        return None, last_state(fading, written, initial_state)
    states = fading_maximum(fading, written, initial_state)
    # Keras makes float32 of float64 in some operations, on PyTorch and JAX.
    states = keras.ops.cast(states, tensors.inputs.dtype)
    return states, _last(states, initial_state)


def last_inputs(tensors: WindowTensors, *, go_backwards: bool):
    """The inputs that the first step of a sequence that goes on will read: `[B, w - 1, D]`."""
    before = tensors.kernel.shape[0] - 1
    inputs, mask = tensors.inputs, tensors.mask
    if inputs.shape[1] is None or inputs.shape[1] > before:
        near_end = slice(None, before) if go_backwards else slice(-before if before else 0, None)
        mask = None if mask is None else mask[:, near_end]
        tensors = tensors._replace(inputs=inputs[:, near_end], mask=mask)
    padded = _with_initial_inputs(in_order(tensors, go_backwards))
    return padded[:, -before:] if before else padded[:, :0]


def in_order(tensors, go_backwards):
    """Inputs and mask in the order of processing; zeros for the inputs of masked steps."""
    inputs, mask = tensors.inputs, tensors.mask
    if go_backwards:
        inputs = keras.ops.flip(inputs, axis=1)
        mask = None if mask is None else keras.ops.flip(mask, axis=1)
    if mask is not None:
        inputs = _where(mask, inputs)
    return tensors._replace(inputs=inputs, mask=mask)


def _where(mask, values):
    """The values `[B, T, ...]` where the mask `[B, T]` is True, else 0."""
    return where_or_zero(keras.ops.expand_dims(mask, -1), values)


def _with_initial_inputs(tensors):
    """The inputs with those before the first step: `[B, w - 1 + T, D]`."""
    inputs, before = tensors.inputs, tensors.kernel.shape[0] - 1
    if before == 0:
        return inputs
    if tensors.initial_inputs is None:
        return keras.ops.pad(inputs, [[0, 0], [before, 0], [0, 0]])
    return keras.ops.concatenate([tensors.initial_inputs, inputs], axis=1)


def pre_activations(tensors):
    """`[B, T, 2H]`, by one product for all steps and taps."""
    taps, features, columns = tensors.kernel.shape
    windows = _with_initial_inputs(tensors)
    if taps > 1 and tensors.inputs.shape[1] == 1:
        windows = keras.ops.reshape(windows, (-1, 1, taps * features))
    elif taps > 1:
        # From the end, so that the number of steps may be unknown.
        shifted = [windows[:, tap : (tap + 1 - taps) or None] for tap in range(taps)]
        windows = keras.ops.concatenate(shifted, axis=-1)
    kernel = keras.ops.reshape(tensors.kernel, (taps * features, columns))
    batch, steps, _ = tensors.inputs.shape
    if _lowering.current() is None or (batch is None) == (steps is None):
        return _with_bias(keras.ops.matmul(windows, kernel), tensors.bias)
    # One axis is open: of three axes, a matrix product computes its shape by ten operators.
    rows = keras.ops.reshape(windows, (-1, taps * features))
    sums = _with_bias(keras.ops.matmul(rows, kernel), tensors.bias)
    return keras.ops.reshape(sums, tuple(-1 if n is None else n for n in (batch, steps, columns)))


def _with_bias(sums, bias):
    return sums if bias is None else keras.ops.add(sums, bias)


def _fading_and_written(sums, gate):
    """How much the old state fades, and what the candidate writes: `a` and `q`, `[B, T, H]`."""
    relu = keras.ops.relu
    update, z = keras.ops.split(sums, 2, axis=-1)
    above = relu(update)
    lowering = _lowering.current()
    if lowering is not None and lowering.integer_operations:
        # LiteRT has no negation of integers.
        return above - update, relu(activate_integers(z, gate) - above)
    # A ReLU within the other one would change nothing.
    candidate = z if gate.activation == "relu" else activate(z, gate)
    return relu(-update), relu(candidate - above)


def _last(states, initial_state):
    """The state after the last step `[B, H]`: the initial one where there is no step."""
    if _some(states.shape[1]):
        return states[:, -1]
    if initial_state is None:
        # Not of a shape alone: a gradient finds its way to the weights.
        initial_state = keras.ops.sum(states[:, :0], axis=1)
    last = keras.ops.concatenate([initial_state[:, None], states[:, -1:]], axis=1)
    return last[:, -1]


def _some(steps):
    """Whether the number of steps is known, and not 0."""
    return isinstance(steps, int) and steps > 0
