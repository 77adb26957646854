"""The recurrence in plain `keras.ops`: any backend, any activation, any device.

Source: arXiv 2308.05629, section 3.1; the bound on the state is an addition to it. Every kink has
derivative 0 at the kink itself, and no comparison hides a NaN.
"""

import keras

from addrnn.gate import Gate
from addrnn.sequence import SequenceTensors
from keras_addrnn.ops import _lowering
from keras_addrnn.ops._activations import activate, activate_integers
from keras_addrnn.ops._scan import scan


def step(tensors: SequenceTensors, *, gate: Gate, recurrent_dropout_mask=None):
    """One step, of inputs `[B, D]` and an initial state, to the new state `[B, H]`.

    The dropout mask `[B, H]` multiplies the state on its way into the matrix product. The state
    that the gate keeps is never dropped.
    """
    projected = _project(tensors.inputs, tensors)
    weights = tensors.recurrent_kernel
    return _advance(projected, tensors.initial_state, weights, recurrent_dropout_mask, gate=gate)


def add_gru(
    tensors: SequenceTensors,
    *,
    gate: Gate,
    go_backwards: bool,
    return_sequences: bool = True,
    unroll: bool = False,
    recurrent_dropout_mask=None,
):
    """The recurrence over a whole sequence, whose mask, if any, is Boolean.

    With `unroll` the steps are written out instead of looping, which needs a known `T`.

    Returns:
        The states after each step, in the order of processing, `[B, T, H]`, or None without
        `return_sequences`; and the last state `[B, H]`.
    """
    inputs, _, recurrent_kernel, _, initial_state, mask = tensors
    if initial_state is None:
        batch = keras.ops.shape(inputs)[0]
        initial_state = keras.ops.zeros((batch, recurrent_kernel.shape[0]), inputs.dtype)
    if inputs.shape[1] == 0:
        return _no_steps(tensors), initial_state

    xs = [keras.ops.swapaxes(inputs, 0, 1)]
    if mask is not None:
        xs.append(keras.ops.expand_dims(keras.ops.transpose(mask), -1))
    if go_backwards:
        xs = [keras.ops.flip(x, axis=0) for x in xs]
    within_loop = _projects_within_loop(inputs)
    if not within_loop:
        xs[0] = _project(xs[0], tensors)  # of all steps at once: [T, B, 2H]

    def body(state, x_t):
        projected = _project(x_t[0], tensors) if within_loop else x_t[0]
        new_state = _advance(projected, state, recurrent_kernel, recurrent_dropout_mask, gate=gate)
        return new_state if mask is None else keras.ops.where(x_t[1], new_state, state)

    outputs, state = scan(body, initial_state, xs, collect=return_sequences, unroll=unroll)
    return keras.ops.swapaxes(outputs, 0, 1) if return_sequences else None, state


def _projects_within_loop(inputs):
    """Whether a training step is faster with the inputs' product in the loop than ahead of it.

    On CPUs, XLA spends more on writing and reading the projections of all steps than on reading the
    kernel at each step, unless a batch has few rows. The limit of 8 is measured.
    """
    if keras.backend.backend() != "jax":
        return False

    import jax

    batch, _, features = inputs.shape
    return jax.default_backend() == "cpu" and isinstance(batch, int) and 8 * batch >= features


def _project(inputs, weights):
    """`inputs [..., D]` to their part of the pre-activations `[..., 2H]`."""
    projected = keras.ops.matmul(inputs, weights.kernel)
    return projected if weights.bias is None else keras.ops.add(projected, weights.bias)


def _advance(projected, state, recurrent_kernel, dropout_mask, *, gate):
    """`projected [B, 2H]` and `state [B, H]` to the new state `[B, H]`."""
    relu = keras.ops.relu
    recalled = state if dropout_mask is None else state * dropout_mask
    z = projected + keras.ops.matmul(recalled, recurrent_kernel)
    update, candidate = keras.ops.split(z, 2, axis=-1)
    lowering = _lowering.current()
    if lowering is not None and lowering.integer_operations:
        return _integer_gate(update, candidate, state, gate)
    candidate = activate(candidate, gate)
    kept = relu(state + gate.state_shift - relu(-update))
    written = relu(candidate + gate.state_shift - relu(update))
    state = kept + written - gate.state_shift
    if gate.state_max is not None:
        # Not `keras.ops.minimum`, which splits the gradient where both are equal.
        bound = keras.ops.full_like(state, gate.state_max)
        state = keras.ops.where(state >= bound, bound, state)
    return state


def _integer_gate(update, candidate, state, gate):
    """The same in additions, subtractions and ReLUs, which LiteRT has for integers.

    It has no negation, and computes comparisons and minima wrongly or not at all.
    """
    relu = keras.ops.relu
    candidate = activate_integers(candidate, gate)
    above = relu(update)
    kept = relu(state + gate.state_shift + (update - above))
    state = kept + relu(candidate + gate.state_shift - above) - gate.state_shift
    return state if gate.state_max is None else gate.state_max - relu(gate.state_max - state)


def _no_steps(tensors):
    """Outputs `[B, 0, H]` that depend on every weight, so that each gets a gradient (of zeros)."""
    units = tensors.recurrent_kernel.shape[0]
    outputs = _project(tensors.inputs, tensors)[..., :units]
    return keras.ops.matmul(outputs, tensors.recurrent_kernel)[..., :units]
