"""From a model of whole sequences to a model that takes them step by step."""

import keras
import numpy as np

from addrnn import _validation
from keras_addrnn import _keras_private
from keras_addrnn._sequential import layers_in_order
from keras_addrnn.layers import AddGRU, MinAddGRU
from keras_addrnn.lite._causal_convolution import CausalConvolution, steps_before

# How many pieces and steps it is tried with, and how far its answers may be off: of the greatest.
_PIECES, _STEPS = 3, 32
_TOLERANCE = {"float32": 0.01, "float64": 0.01}
_TOLERANCE_OF_HALVES = 0.05


def streaming_model(model: keras.Model, steps: int = 1) -> keras.Model:
    """Makes a model that takes some steps at a time, with the states as inputs and outputs.

    It takes a sequence piece by piece, each with the states of the call before. After each piece it
    answers as the model does to the whole sequence up to there. Random numbers try that once.

    Args:
        model: Built `keras.Model` whose layers follow one another: any number of `AddGRU` and
            `MinAddGRU` layers, of `keras.layers.Conv1D` layers with `padding="causal"`, and layers
            that treat each step by itself (`Dense`, `LayerNormalization`, ...).
        steps: How many steps it takes at a time, a positive integer.

    Returns:
        A `keras.Model` with weights of its own, as they are now. Its inputs are those steps
        `[batch, steps, features]` and the states, zeros at the beginning of a sequence. Each AddGRU
        and MinAddGRU layer has a state `[batch, units]` named `"<layer>_state"`; each layer with a
        window has the inputs before the first step, `[batch, window - 1, features]`, named
        `"<layer>_last_inputs"`, where the window of a dilated convolution is all that it spans.
        Its outputs are the model's, and the states for the next call, in the same order.

    Raises:
        TypeError: `model` is not a Keras model, or `steps` not an integer.
        ValueError: The model is not built, its layers do not follow one another, one of them looks
            at other steps, or `steps` is not positive.

    Example:

    >>> stream = keras_addrnn.lite.streaming_model(model)
    >>> state = keras.ops.zeros((1, 64))
    >>> for x in microphone:  # tensors [1, 1, features]
    ...     answer, state = stream([x, state])
    """
    chain = layers_in_order(model)
    steps = _validation.integer("steps", steps, 1)
    given = model.inputs[0]
    inputs = keras.Input((steps, given.shape[-1]), dtype=given.dtype, name="steps")
    whole = trial = _random(given, steps)
    states, next_states, x = [], [], inputs
    for layer in chain:
        if not _keeps_a_state(layer):
            x, whole = _each_step_by_itself(layer, x, whole, steps)
            continue
        call = _convolution if isinstance(layer, keras.layers.Conv1D) else _recurrence
        x, whole, given, following = call(layer, x, whole)
        states += given
        next_states += following
    if not states:
        raise ValueError(
            f"Model '{model.name}' has no layer with a state to keep: none of AddGRU, "
            'MinAddGRU, and Conv1D with padding="causal". Call the model itself with each piece.'
        )
    stream = keras.Model([inputs, *states], [x, *next_states], name=f"{model.name}_stream")
    _try(stream, trial, whole, steps)
    return stream


def _keeps_a_state(layer):
    if isinstance(layer, keras.layers.Conv1D):
        return CausalConvolution.serves(layer)
    return isinstance(layer, (AddGRU, MinAddGRU))


# Both call a copy of a layer on `x`, the next steps. They return its output, the layer's output to
# `whole`, the inputs for its states, and the states for the next call.


def _recurrence(layer, x, whole):
    if layer.go_backwards:
        raise ValueError(
            f"Layer '{layer.name}' reads from the end, which a stream does not have. Train it with "
            "go_backwards=False."
        )
    config = {**layer.get_config(), "return_state": True, "stateful": False}
    copy = layer.__class__.from_config(config)
    states = [keras.Input((layer.units,), name=f"{layer.name}_state")]
    if isinstance(layer, MinAddGRU) and layer.kernel_size > 1:
        states.append(_last_inputs(layer, layer.kernel_size - 1, x))
    x, *next_states = copy(x, initial_state=states)
    copy.set_weights(layer.get_weights())
    whole, *_ = copy(whole)
    return x, whole, states, next_states


def _convolution(layer, x, whole):
    copy = CausalConvolution.from_config(layer.get_config())
    states = [_last_inputs(layer, steps_before(layer), x)]
    x, *next_states = copy(x, *states)
    copy.set_weights(layer.get_weights())
    return x, layer(whole), states, next_states


def _last_inputs(layer, number, x):
    shape, name = (number, x.shape[-1]), f"{layer.name}_last_inputs"
    return keras.Input(shape, dtype=layer.compute_dtype, name=name)


def _random(given, steps):
    """Some numbers as the model's input takes them, for some pieces."""
    pieces = max(_PIECES, -(-_STEPS // steps))
    shape = (given.shape[0] or 2, pieces * steps, given.shape[-1])
    numbers = np.random.default_rng(0).normal(size=shape)
    if not keras.backend.is_float_dtype(given.dtype):
        numbers = np.abs(10 * numbers)
    return keras.ops.cast(keras.ops.convert_to_tensor(numbers.astype("float32")), given.dtype)


def _each_step_by_itself(layer, x, whole, steps):
    """Calls a copy of a layer on `x`, the next steps, and on `whole`, a trial of several pieces.

    The layer must answer to the whole as to each piece. Its type does not tell: a layer's options
    or a user's code may have it look at other steps. Returns the outputs of both calls.
    """
    problem = (
        f"Layer '{layer.name}' ({type(layer).__name__}) looks at more than one step, and only "
        "the model's own AddGRU, MinAddGRU and causal Conv1D layers carry a state from one call to "
        "the next. "
    )
    if isinstance(layer, keras.Model):
        problem += f"Put the layers of '{layer.name}' into the model itself."
    else:
        problem += "Use one of these in its place."
    if len(whole.shape) > 2 and _has_window(layer):
        raise ValueError(problem)
    copy = layer.__class__.from_config(layer.get_config())
    try:
        x = copy(x)
        _take_weights(copy, layer)
        with keras.StatelessScope():  # random numbers change no statistics of the user's layer
            original = layer(whole)
        outputs = copy(whole)
        joined = outputs
        if len(whole.shape) > 2:  # not behind an AddGRU that returns its last output
            pieces = [keras.ops.convert_to_numpy(copy(piece)) for piece in _pieces(whole, steps)]
            joined = np.concatenate(pieces, axis=1)
    except Exception as error:  # of whatever type, where the number of steps is another
        raise ValueError(problem) from error
    if not _close(outputs, original, layer):
        raise ValueError(
            f"Layer '{layer.name}' ({type(layer).__name__}) answers otherwise than a copy of it, "
            "made of its get_config() and its weights. Have get_config() tell all that it needs."
        )
    kept = min(2, len(whole.shape) - 1)  # batch and steps, or batch alone
    if outputs.shape[:kept] != whole.shape[:kept] or not _close(joined, outputs, copy):
        raise ValueError(problem)
    return x, outputs


def _has_window(layer):
    """Whether a layer of Keras convolves or pools steps: its window may be longer than the trial.

    What is within a TimeDistributed has the features of one step for its steps.
    """
    if isinstance(layer, keras.Model):
        return any(map(_has_window, layer.layers))
    if isinstance(layer, keras.layers.Wrapper):
        return not isinstance(layer, keras.layers.TimeDistributed) and _has_window(layer.layer)
    if not _keras_private.is_windowed(layer):
        return False
    # The steps are the first axis behind the batch, where channels_first has no window.
    windows = [getattr(layer, name, 1) for name in ("kernel_size", "pool_size")]
    return layer.data_format == "channels_last" and any(np.ravel(w)[0] > 1 for w in windows)


def _take_weights(copy, layer):
    copy.set_weights(layer.get_weights())
    for part in _keras_private.flatten_layers(copy):
        if hasattr(part, "finalize_state"):  # Normalization computes with what it derives from them
            part.finalize_state()


def _pieces(sequence, steps):
    return [sequence[:, begin : begin + steps] for begin in range(0, sequence.shape[1], steps)]


def _try(stream, trial, expected, steps):
    """Refuses a stream whose last answer differs from the answer to the whole sequence."""
    states = [
        keras.ops.zeros((trial.shape[0], *state.shape[1:]), state.dtype)
        for state in stream.inputs[1:]
    ]
    for piece in _pieces(trial, steps):
        answer, *states = stream([piece, *states])
    if len(expected.shape) > 2:
        expected = expected[:, -steps:]
    if not _close(answer, expected, stream):
        raise ValueError(
            f"Model '{stream.name.removesuffix('_stream')}' does not make a stream: fed piece by "
            "piece, it answers otherwise than to the whole. A recurrent layer may follow only such "
            "layers as return all steps."
        )


def _close(got, expected, layer):
    got, expected = (
        np.asarray(keras.ops.convert_to_numpy(value), "float64") for value in (got, expected)
    )
    if got.shape != expected.shape:
        return False
    if not np.isfinite(expected).all():
        return True  # nothing can be said
    tolerance = max(
        _TOLERANCE.get(part.compute_dtype, _TOLERANCE_OF_HALVES)
        for part in _keras_private.flatten_layers(layer)
    )
    return bool(np.all(np.abs(got - expected) <= tolerance * np.abs(expected).max(initial=0)))
