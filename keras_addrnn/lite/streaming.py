"""From a model of whole sequences to one that is fed as they arrive."""

import keras

from keras_addrnn.chain import layers_in_order
from keras_addrnn.layers import AddGRU

# What these compute at a step depends on other steps, and they keep no state between calls.
_ACROSS_STEPS = (
    keras.layers.RNN,
    keras.layers.Bidirectional,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Permute,
    keras.layers.RepeatVector,
    keras.layers.Masking,
)
_ACROSS_STEPS_NAMES = ("Conv", "Pool", "Attention", "Padding", "Cropping", "UpSampling")


def streaming_model(model, steps=1):
    """Makes a model that takes some steps at a time, with the states as inputs and outputs.

    Fed a sequence piece by piece, each time with the states of the time before, it gives what the
    model gives for the whole sequence, after each piece.

    Args:
        model: Built `keras.Model` whose layers follow one another: any number of `AddGRU` layers,
            and layers that treat each step by itself (`Dense`, `LayerNormalization`, ...).
        steps: How many steps it takes at a time, a positive integer.

    Returns:
        A `keras.Model` with weights of its own, as they are now. Its inputs are those steps
        `[batch, steps, features]` and, for each AddGRU layer, a state `[batch, units]` named
        `"<layer>_state"`: zeros at the beginning of a sequence. Its outputs are the model's, and
        the states for the next call, in the same order.

    Raises:
        TypeError: `model` is not a Keras model.
        ValueError: The model is not built, its layers do not follow one another, one of them looks
            at other steps, or `steps` is not a positive integer.

    Example:

    >>> stream = keras_addrnn.lite.streaming_model(model)
    >>> state = keras.ops.zeros((1, 64))
    >>> for x in microphone:  # tensors [1, 1, features]
    ...     answer, state = stream([x, state])
    """
    chain = layers_in_order(model)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"Argument `steps` must be a positive integer. Received: steps={steps!r}")
    given = model.inputs[0]
    inputs = keras.Input((steps, given.shape[-1]), dtype=given.dtype, name="steps")
    states, next_states, x = [], [], inputs
    for layer in chain:
        if not isinstance(layer, AddGRU):
            _refuse_across_steps(layer)
            copy = layer.__class__.from_config(layer.get_config())
            x = copy(x)
        else:
            state = keras.Input((layer.units,), name=f"{layer.name}_state")
            copy = _with_state(layer)
            x, next_state = copy(x, initial_state=state)
            states.append(state)
            next_states.append(next_state)
        copy.set_weights(layer.get_weights())
    if not states:
        raise ValueError(f"Model '{model.name}' has no AddGRU layer: there is no state to keep.")
    return keras.Model([inputs, *states], [x, *next_states], name=f"{model.name}_stream")


def _with_state(layer):
    if layer.go_backwards:
        raise ValueError(f"Layer '{layer.name}' reads from the end: there is none in a stream.")
    config = {**layer.get_config(), "return_state": True, "stateful": False}
    return AddGRU.from_config(config)


def _refuse_across_steps(layer):
    name = type(layer).__name__
    if isinstance(layer, _ACROSS_STEPS) or any(part in name for part in _ACROSS_STEPS_NAMES):
        raise ValueError(
            f"Layer '{layer.name}' ({name}) looks at more than one step, and only AddGRU layers "
            "carry a state from one call to the next."
        )
