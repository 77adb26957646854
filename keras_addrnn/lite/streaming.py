"""From a model of whole sequences to one that is fed as they arrive."""

import keras

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
    chain, features, dtype = _chain(model)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"Argument `steps` must be a positive integer. Received: steps={steps!r}")
    inputs = keras.Input((steps, features), dtype=dtype, name="steps")
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


def _chain(model):
    """The layers in order, the number of features and the dtype of the input."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"Argument `model` must be a keras.Model. Received: {model!r}")
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) != 1 or len(inputs[0].shape) != 3:
        raise ValueError(
            "Argument `model` must be built, with one input [batch, time, features]. Received: "
            f"'{model.name}' with {[tuple(tensor.shape) for tensor in inputs]}"
        )
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    tensor = inputs[0]
    for layer in layers:
        nodes = layer._inbound_nodes
        if len(nodes) != 1 or nodes[0].input_tensors != [tensor] or len(nodes[0].outputs) != 1:
            raise ValueError(
                f"The layers of '{model.name}' must follow one another, each with one input and "
                f"one output. Received: '{layer.name}', which does not."
            )
        tensor = nodes[0].outputs[0]
    return layers, inputs[0].shape[-1], inputs[0].dtype


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
