"""The factor that a layer's first batch in training gives its inputs.

A recurrence of ReLUs and additions has no scale of its own: inputs that are twice as large make
states that are twice as large. A sigmoid has one. So a layer brings its inputs to a scale, once.
docs/defaults.md has the reasons and the measurements.
"""

import keras
from keras import ops

_NOT_SET = 0.0


def add_weight(cell):
    """The weight of a cell that holds the factor; 0 until a batch sets it."""
    return cell.add_weight(
        (),
        keras.initializers.Constant(_NOT_SET),
        trainable=False,
        # Replicas see parts of the first batch. All take the factor of one of them.
        aggregation="only_first_replica",
        name="input_scale",
    )


def times(kernel, weight):
    """The kernel times the factor, or the kernel where none is set."""
    scale = ops.convert_to_tensor(weight)
    return kernel * ops.where(scale > _NOT_SET, scale, ops.ones_like(scale))


def set_from(weight, inputs, mask):
    """Sets the factor to 1 over the inputs' root mean square, unless a batch did before.

    Args:
        weight: Of `add_weight`.
        inputs: `[B, T, D]`. Zeros, and what is not finite, leave the factor to the next batch.
        mask: `[B, T]` or None. What it hides does not count.
    """
    scale = ops.convert_to_tensor(weight)
    inputs = ops.stop_gradient(inputs)
    weight.assign(
        ops.cond(
            scale > _NOT_SET,
            lambda: scale,
            lambda: ops.cast(_one_over_root_mean_square(inputs, mask), scale.dtype),
        )
    )


def _one_over_root_mean_square(inputs, mask):
    squares = ops.mean(ops.square(ops.cast(inputs, "float32")), axis=-1)
    if mask is None:
        mean = ops.mean(squares)
    else:
        mask = ops.cast(mask, "bool")
        count = ops.maximum(ops.sum(ops.cast(mask, "float32")), 1.0)
        mean = ops.sum(ops.where(mask, squares, 0.0)) / count
    scale = ops.rsqrt(mean)
    return ops.where(ops.isfinite(scale), scale, _NOT_SET)
