"""What the layers have in common."""

import keras


def known_features(shape) -> int:
    """The size of the last axis of the inputs, or an error where it is unknown."""
    features = shape[-1]
    if features is None:
        raise ValueError(
            "The last dimension of `inputs` must be known, to build the kernel. "
            f"Received: shape={tuple(shape)}. Give it in keras.Input."
        )
    return features


def add_weight(layer, name, shape, settings=None):
    """Adds a weight with the layer's own initializer, regularizer and constraint.

    Args:
        layer: Layer or cell.
        name: Of the weight.
        shape: Tuple of sizes.
        settings: What the names of those three begin with; `name` by default.
    """
    settings = settings or name
    return layer.add_weight(
        shape=shape,
        name=name,
        initializer=getattr(layer, f"{settings}_initializer"),
        regularizer=getattr(layer, f"{settings}_regularizer"),
        constraint=getattr(layer, f"{settings}_constraint"),
    )


def check_batch(batch, expected) -> None:
    """Refuses a batch of another size than that for which a stateful layer keeps states."""
    if batch not in (None, expected):
        raise ValueError(
            f"A stateful layer keeps one state for each of the {expected} sequences of the "
            f"batch it was built with. Received: a batch of {batch}. Use stateful=False, or "
            "batches of one size."
        )


def zero_masked(result, mask, *, go_backwards, return_sequences):
    """Zeros where the mask is False; both outputs and mask end in the last step processed."""
    mask = keras.ops.cast(mask, "bool")
    if go_backwards:
        mask = keras.ops.flip(mask, axis=1)
    if return_sequences:
        mask = keras.ops.expand_dims(mask, -1)
    else:
        # `all` is true of no step at all: then the last output is the initial state.
        mask = keras.ops.all(mask[:, -1:], axis=1, keepdims=True)
    return keras.ops.where(mask, result, keras.ops.zeros_like(result))


def config_of_weights(layer, weights) -> dict:
    """The initializers, regularizers and constraints of the weights of those names."""
    config = {}
    for weight in weights:
        for role, module in (
            ("initializer", keras.initializers),
            ("regularizer", keras.regularizers),
            ("constraint", keras.constraints),
        ):
            name = f"{weight}_{role}"
            config[name] = module.serialize(getattr(layer, name))
    return config
