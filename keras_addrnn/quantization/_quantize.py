"""From a trained Keras model to an integer model."""

import warnings
from typing import Any

import keras

from addrnn import _validation
from addrnn.model import IntegerModel
from keras_addrnn.quantization import _post_training, _quantization_aware

_CLIPPED_SHARE = 0.01  # of all candidates, which may be clipped at state_max without a warning


def quantize(
    model: keras.Model,
    representative_data: Any = None,
    *,
    weight_bits: int | None = None,
    state_bits: int | None = None,
    input_bits: int | None = None,
    rescale: str | None = None,
) -> IntegerModel:
    """Makes an integer model of a trained Keras model.

    The layers must follow one another: one or more `AddGRU`, `RNN(AddGRUCell)` or `MinAddGRU`
    layers with `"relu"`, `"linear"` or `"hard_tanh"`, and a `Dense` layer after them or not. What
    does nothing in inference is skipped, as `Dropout`. A softmax or sigmoid at the end is left out.
    Without a softmax the same output is the largest. Without a sigmoid, compare with 0 instead of
    0.5.

    The data calibrates the ranges of inputs and states; a later value beyond saturates. For each
    layer a few ranges of the state are tried. The one is taken with which the states are nearest
    to Keras' own. The same model and data give the same integers.

    In integers `state_max` bounds the candidate too, where a layer of real numbers bounds the new
    state alone. A model whose candidates go far beyond its `state_max` loses accuracy by that, and
    a warning says so; `quantization_aware` trains with it.

    Args:
        model: Built `keras.Model` with one input `[batch, time, features]`. One that
            `quantization_aware` made gives the integers that it has been trained with; ranges and
            bits are its own, and no argument for them may be given.
        representative_data: Real numbers `[N, T, D]`, what the model will be used on; some hundred
            sequences are enough. A quantization-aware model needs none.
        weight_bits: Integer from 2 to 8. Default: 8.
        state_bits: Integer from 2 to 16. Default: 16.
        input_bits: Integer from 1 to 16. Default: 8.
        rescale: `"shift"` if a rounding shift brings each accumulator to the state's scale:
            weights have steps that are powers of two. `"multiplier"` for a multiplication before
            the shift: weights have the finest steps. Default: `"shift"`.

    Returns:
        An `IntegerModel`.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument has a value that is not allowed, or the model holds something that
            has no integer form; the message says what to do.

    Example:

    >>> integers = keras_addrnn.quantization.quantize(model, x_train[:500])
    >>> classes = integers.predict(x_test).argmax(-1)
    """
    given = {
        "weight_bits": weight_bits,
        "state_bits": state_bits,
        "input_bits": input_bits,
        "rescale": rescale,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if _quantization_aware.is_aware(model):
        for name, value in given.items():
            raise _validation.value_error(
                name,
                f"be left out: model '{model.name}' is quantization-aware, and has the bits that "
                "it was trained with",
                f"{name}={value!r}",
            )
        return _quantization_aware.integer_model(model)
    integers, clipped = _post_training.quantize_float_model(model, representative_data, **given)
    for name, share in clipped.items():
        if share > _CLIPPED_SHARE:
            warnings.warn(
                "In integers `state_max` bounds the candidates too, which changes "
                f"{share:.0%} of those of layer '{name}'. Train it with "
                "keras_addrnn.quantization.quantization_aware, or with a larger `state_max`.",
                stacklevel=2,
            )
    return integers
