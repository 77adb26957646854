"""The factor that a layer's first batch in training gives its inputs.

A recurrence of ReLUs and additions has no scale of its own: inputs that are twice as large make
states that are twice as large. A sigmoid has one. So a layer brings its inputs to a scale, once.
docs/explanation/defaults.md has the reasons.
"""

import keras
from keras import ops

_NOT_SET = -1.0  # its magnitude is the factor until then


def add_weight(layer):
    """The weight of a layer or cell that holds the factor; -1 until a batch sets it."""
    return layer.add_weight(
        (),
        keras.initializers.Constant(_NOT_SET),
        trainable=False,
        autocast=False,  # in half precision it would be rounded at every step
        # Replicas see parts of the first batch. All take the factor of one of them.
        aggregation="only_first_replica",
        name="input_scale",
    )


def times(kernel, weight):
    """The kernel times the factor."""
    return kernel * ops.cast(ops.abs(weight), kernel.dtype)


def set_from(weight, inputs, mask, largest):
    """Sets the factor to 1 over the inputs' root mean square, unless a batch did before.

    Args:
        weight: Of `add_weight`.
        inputs: `[B, T, D]`. Zeros, and what is not finite, leave the factor to the next batch.
        mask: `[B, T]` or None. What it hides does not count.
        largest: Of the factor.
    """
    scale = ops.convert_to_tensor(weight)
    inputs = ops.stop_gradient(inputs)
    weight.assign(
        ops.cond(
            scale > 0,
            lambda: scale,
            lambda: ops.cast(_one_over_root_mean_square(inputs, mask, largest), weight.dtype),
        )
    )


def _one_over_root_mean_square(inputs, mask, largest):
    squares = ops.mean(ops.square(ops.cast(inputs, "float32")), axis=-1)
    if mask is None:
        mean = ops.mean(squares)
    else:
        mask = ops.cast(mask, "bool")
        count = ops.maximum(ops.sum(ops.cast(mask, "float32")), 1.0)
        mean = ops.sum(ops.where(mask, squares, 0.0)) / count
    usable = ops.logical_and(mean > 0, ops.isfinite(mean))
    return ops.where(usable, ops.minimum(ops.rsqrt(mean), largest), _NOT_SET)
