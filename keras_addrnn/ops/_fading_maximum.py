"""The recurrence `h_t = max(h_{t-1} - a_t, q_t)` in parallel over time, on any backend.

Two steps are again one, of `a_1 + a_2` and `max(q_1 - a_2, q_2)`. So a scan by doubling has all
states after `log2(T)` rounds: in a round of distance `d` each step takes in what is known of the
`d` steps before it (Hillis and Steele, Data Parallel Algorithms, 1986). docs/recurrence.md has the
recurrence and its gradient, docs/decisions/min-add-gru.md says why the scan is written out here.
"""

import keras

from keras_addrnn.ops import _lowering


def fading_maximum(fading, written, initial_state=None):
    """All states `[B, T, H]`.

    Args:
        fading: `a`, `[B, T, H]`, of at least 0. `T` may be unknown, or 0.
        written: `q`, `[B, T, H]`, of at least 0.
        initial_state: `[B, H]`, of at least 0, or None for zeros.
    """
    tensors = [fading, written] if initial_state is None else [fading, written, initial_state]
    # A file for inference has no use for a gradient, and a converter no word for one of our own.
    scan = _states if _lowering.current() is not None else _states_with_gradient
    return scan(*tensors)


def last_state(fading, written, initial_state=None):
    """The last state `[B, H]` alone, for inference, of a known number of at least one step.

    Pairs of steps become one, and again, until there is one: less to compute than all states.
    """
    written = _with_initial_state(fading, written, initial_state)
    _, steps, units = written.shape
    while steps > 1:
        if steps % 2:  # a step that changes nothing, before the first
            fading, written = (_shifted(x, 1) for x in (fading, written))
        steps = (steps + 1) // 2
        # Two steps in a row of memory: to take every other step costs LiteRT many times as much.
        fading, written = (keras.ops.reshape(x, (-1, steps, 2 * units)) for x in (fading, written))
        later = fading[..., units:]
        kept = _faded(written[..., :units], later)
        fading = fading[..., :units] + later
        written = keras.ops.maximum(kept, written[..., units:])
    return keras.ops.squeeze(written, 1)


def _states(fading, written, initial_state=None):
    written = _with_initial_state(fading, written, initial_state)
    steps = written.shape[1]
    if not isinstance(steps, int):
        return _states_of_unknown_number(fading, written)
    # Of the steps from `distance` on: those before have taken in all that there is.
    distance, fading = 1, fading[:, 1:]
    while distance < steps:
        kept = _faded(written[:, :-distance], fading)
        written = keras.ops.maximum(_shifted(kept, distance), written)
        fading = fading[:, :-distance] + fading[:, distance:]
        distance *= 2
    return written


def _states_of_unknown_number(fading, written):
    def take_in(distance, written, fading):
        kept = _later(written, distance) - fading
        return keras.ops.maximum(kept, written), _later(fading, distance) + fading

    return _doubling(take_in, written, fading)


def _with_initial_state(fading, written, initial_state):
    """What the steps write, where the first one writes what it keeps too."""
    if initial_state is None:
        return written
    initial_state = keras.ops.expand_dims(initial_state, 1)
    if written.shape[1] == 1:
        return keras.ops.maximum(_faded(initial_state, fading), written)
    first = keras.ops.maximum(_faded(initial_state, fading[:, :1]), written[:, :1])
    return keras.ops.concatenate([first, written[:, 1:]], axis=1)


def _faded(written, fading):
    faded = written - fading
    lowering = _lowering.current()
    # The maximum with what is written, at least 0, makes this ReLU redundant. But integers need no
    # range for numbers below 0 then, and LiteRT's subtraction has it built in.
    integers = lowering is not None and lowering.integer_operations
    return keras.ops.relu(faded) if integers else faded


def _shifted(x, distance):
    """Zeros before the first step."""
    return keras.ops.pad(x, [[0, 0], [distance, 0], [0, 0]])


# A gradient of its own, for three reasons. It keeps a Boolean for each unit and step, where that of
# the rounds would keep all their tensors; it needs no gradient of a loop, which XLA has only for
# known numbers of rounds; and where both branches are equal, each backend would share it out
# differently. In JAX it has no forward mode (`jax.jvp`) then.
@keras.ops.custom_gradient
def _states_with_gradient(*tensors):
    states = _states(*tensors)
    fading, *_ = tensors
    # Here and not in `gradient`: PyTorch would never free states that their own gradient holds.
    keeps = state_before(states, *tensors[2:]) - fading > tensors[1]

    def gradient(*arguments, upstream=None):
        if upstream is None:  # as PyTorch alone names it
            (upstream,) = arguments
        return gradients(keeps, upstream)[: len(tensors)]

    return states, gradient


def state_before(states, initial_state=None):
    """The state before each step."""
    if initial_state is None:
        return _later(states, 1)
    return keras.ops.concatenate([initial_state[:, None], states], axis=1)[:, :-1]


def gradients(keeps, d_states):
    """Of `a`, `q` and the initial state, where `keeps` says at which steps `h - a` is taken.

    The gradient of a state is what arrives at it, and at the states after it as far as each keeps
    the one before: a sum that is cut wherever `keeps` is False.
    """
    zeros = keras.ops.zeros_like(d_states)

    def take_in(distance, total, passes):
        more = keras.ops.where(passes, _earlier(total, distance), zeros)
        return total + more, keras.ops.logical_and(passes, _earlier(passes, distance))

    total = _doubling(take_in, d_states, _earlier(keeps, 1))
    d_kept = keras.ops.where(keeps, total, zeros)
    d_written = keras.ops.where(keeps, zeros, total)
    # A sum, as there may be no first step.
    return -d_kept, d_written, keras.ops.sum(d_kept[:, :1], axis=1)


def _doubling(take_in, *tensors):
    """The first of the tensors after the rounds, of distances 1, 2, 4, ... below `T`."""
    steps = tensors[0].shape[1]
    if isinstance(steps, int):
        distance = 1
        while distance < steps:
            tensors = take_in(distance, *tensors)
            distance *= 2
        return tensors[0]

    steps = keras.ops.shape(tensors[0])[1]
    loop = keras.ops.while_loop(
        lambda distance, *_: distance < steps,
        lambda distance, *tensors: (2 * distance, *take_in(distance, *tensors)),
        (1, *tensors),
    )
    return loop[1]


def _later(x, distance):
    """`x[:, t - distance]` at each step; zeros before the first."""
    steps = x.shape[1]
    if isinstance(steps, int):
        kept = min(distance, steps)
        return keras.ops.pad(x[:, : steps - kept], [[0, 0], [kept, 0], [0, 0]])
    batch, steps, units = keras.ops.shape(x)
    both = keras.ops.concatenate([keras.ops.zeros_like(x), x], axis=1)
    begin = keras.ops.maximum(steps - distance, 0)
    return keras.ops.slice(both, (0, begin, 0), (batch, steps, units))


def _earlier(x, distance):
    """`x[:, t + distance]` at each step; zeros after the last."""
    steps = x.shape[1]
    if isinstance(steps, int):
        kept = min(distance, steps)
        return keras.ops.pad(x[:, kept:], [[0, 0], [0, kept], [0, 0]])
    batch, steps, units = keras.ops.shape(x)
    both = keras.ops.concatenate([x, keras.ops.zeros_like(x)], axis=1)
    begin = keras.ops.minimum(distance, steps)
    return keras.ops.slice(both, (0, begin, 0), (batch, steps, units))
