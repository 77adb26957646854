"""Keras models whose layers follow one another."""

import keras

from addrnn import _validation
from keras_addrnn import _keras_private


def layers_in_order(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers of a model with one input `[batch, time, features]`, without the input layer.

    Raises a `ValueError` where the model is not built, or is anything but layers one after another.
    """
    if not isinstance(model, keras.Model):
        raise _validation.type_error("model", "be a keras.Model", repr(model))
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) != 1 or len(inputs[0].shape) != 3:
        raise _validation.value_error(
            "model",
            "be built, with one input [batch, time, features]",
            f"'{model.name}' with {[tuple(tensor.shape) for tensor in inputs]}",
            "Begin it with keras.Input((None, features)).",
        )
    if len(model.outputs) != 1:
        raise ValueError(
            f"Model '{model.name}' must have one output. Received: {len(model.outputs)}. A layer "
            "with return_state=True has two."
        )
    # From the end: a layer may have been called elsewhere too, as those of a loaded model have.
    layers, tensor = [], model.outputs[0]
    while tensor is not inputs[0]:
        layer, index, _ = _keras_private.keras_history(tensor)
        if not isinstance(layer, keras.layers.Layer):
            raise ValueError(
                f"Model '{model.name}' must be made of layers alone. Received: the operation "
                f"'{layer.name}' of keras.ops. Use a layer in its place, such as "
                "keras.layers.Activation or keras.layers.Rescaling."
            )
        node = _keras_private.inbound_node(layer, index)
        if len(node.input_tensors) != 1 or len(node.outputs) != 1 or layer in layers:
            raise ValueError(
                f"The layers of '{model.name}' must follow one another, each once, with one input "
                f"and one output. Received: '{layer.name}' with {len(node.input_tensors)} and "
                f"{len(node.outputs)}. (The mask of a Masking layer is an input too: leave it out. "
                "With return_state=True the state is an output too: use return_state=False.)"
            )
        layers.append(layer)
        (tensor,) = node.input_tensors
    return layers[::-1]
