"""The recurrence `h_t = max(h_{t-1} - a_t, q_t)` in parallel over time, on any backend.

Two steps are again one, of `a_1 + a_2` and `max(q_1 - a_2, q_2)`. So half as many steps give every
second state, and each of those the one after it: all states after `2 log2(T)` rounds, by about
twice the operations of a loop over time (Ladner and Fischer, Parallel Prefix Computation, 1980).
Where `T` is unknown, a loop goes on by doubling, `log2(T)` rounds of all steps: in a round of
distance `d` each step takes in what is known of the `d` steps before it (Hillis and Steele, Data
Parallel Algorithms, 1986). docs/explanation/parallel-in-time.md has the recurrence and its
gradient, docs/decisions/min-add-gru.md says why the scan is written out here.
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
    scan = states_without_gradient if _lowering.current() is not None else _states_with_gradient
    return scan(*tensors)


def last_state(fading, written, initial_state=None):
    """The last state `[B, H]` alone, for inference, of a known number of at least one step."""
    written = _with_initial_state(fading, written, initial_state)
    while written.shape[1] > 1:
        # A step that changes nothing, before the first.
        fading, written = (_padded(x, written.shape[1] % 2, 0) for x in (fading, written))
        (first, second), pairs = _halves(fading), _halves(written)
        fading, written = first + second, keras.ops.maximum(_faded(pairs[0], second), pairs[1])
    return keras.ops.squeeze(written, 1)


def states_without_gradient(fading, written, initial_state=None):
    written = _with_initial_state(fading, written, initial_state)
    if isinstance(written.shape[1], int):
        return _states_by_pairs(fading, written)
    return _states_of_unknown_number(fading, written)


def _states_by_pairs(fading, written):
    steps = written.shape[1]
    if steps <= 1:
        return written
    # A step that changes nothing, after the last.
    fading, written = (_padded(x, 0, steps % 2) for x in (fading, written))
    (a_1, a_2), (q_1, q_2) = _halves(fading), _halves(written)
    second = _states_by_pairs(a_1 + a_2, keras.ops.maximum(_faded(q_1, a_2), q_2))
    first = q_1 if steps == 2 else keras.ops.maximum(_faded(_later(second, 1), a_1), q_1)
    return _joined(first, second, steps)


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


def _padded(x, before, after):
    """With so many steps of zeros."""
    return keras.ops.pad(x, [[0, 0], [before, after], [0, 0]]) if before or after else x


def _halves(x):
    """The first and the second step of each pair: `[B, T / 2, H]`."""
    # Two steps in a row of memory: to take every other step costs LiteRT many times as much.
    _, steps, units = x.shape
    pairs = keras.ops.reshape(x, (-1, steps // 2, 2 * units))
    return pairs[..., :units], pairs[..., units:]


def _joined(first, second, steps):
    """What `_halves` has taken apart, of so many steps."""
    pairs = keras.ops.concatenate([first, second], axis=-1)
    _, count, columns = pairs.shape
    return keras.ops.reshape(pairs, (-1, 2 * count, columns // 2))[:, :steps]


# A gradient of its own, for three reasons. It keeps a Boolean for each unit and step, where that of
# the rounds would keep all their tensors; it needs no gradient of a loop, which XLA has only for
# known numbers of rounds; and where both branches are equal, each backend would share it out
# differently. In JAX it has no forward mode (`jax.jvp`) then.
@keras.ops.custom_gradient
def _states_with_gradient(*tensors):
    states = states_without_gradient(*tensors)
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
    keeps, d_states = _with_known_steps(keeps, d_states)
    sums = _sums_by_pairs if isinstance(d_states.shape[1], int) else _sums_of_unknown_number
    total = sums(d_states, _earlier(keeps, 1))
    d_kept = where_or_zero(keeps, total)
    d_written = keras.ops.where(keeps, keras.ops.zeros_like(total), total)
    # A sum, as there may be no first step.
    return -d_kept, d_written, keras.ops.sum(d_kept[:, :1], axis=1)


def _with_known_steps(*tensors):
    """The tensors of one shape, all with the number of steps that one of them may know."""
    known = [x.shape[1:] for x in tensors if isinstance(x.shape[1], int)]
    if not known or len(known) == len(tensors):
        return tensors
    return [keras.ops.reshape(x, (keras.ops.shape(x)[0], *known[0])) for x in tensors]


def _sums_by_pairs(total, passes):
    """`total_t + total_{t+1} + ...`, as far as each step from `t` on passes what is after it."""
    steps = total.shape[1]
    if steps <= 1:
        return total
    total, passes = (_padded(x, 0, steps % 2) for x in (total, passes))
    (d_1, d_2), (k_1, k_2) = _halves(total), _halves(passes)
    first = _sums_by_pairs(d_1 + where_or_zero(k_1, d_2), keras.ops.logical_and(k_1, k_2))
    second = d_2 if steps == 2 else d_2 + where_or_zero(k_2, _earlier(first, 1))
    return _joined(first, second, steps)


def where_or_zero(condition, x):
    """`x` where the condition holds, else 0."""
    return keras.ops.where(condition, x, keras.ops.zeros_like(x))


def _states_of_unknown_number(fading, written):
    def take_in(distance, written, fading):
        kept = _later(written, distance) - fading
        return keras.ops.maximum(kept, written), _later(fading, distance) + fading

    return _doubling(take_in, written, fading)


def _sums_of_unknown_number(total, passes):
    def take_in(distance, total, passes):
        more = where_or_zero(passes, _earlier(total, distance))
        return total + more, keras.ops.logical_and(passes, _earlier(passes, distance))

    return _doubling(take_in, total, passes)


def _doubling(take_in, *tensors):
    """The first of the tensors after the rounds, of distances 1, 2, 4, ... below `T`."""
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
