"""From a trained Keras model to an integer model, with the scales that some data suggests."""

import warnings
from typing import Any

import keras
import numpy as np

from addrnn import _validation, reference, weight_quantization
from addrnn.model import IntegerModel
from addrnn.quantization import Quantization
from keras_addrnn.quantization import _calibration, _keras_model

_SEQUENCES = 128  # of the data, to choose among them
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

    The layers must follow one another: one or more `AddGRU` or `RNN(AddGRUCell)` layers with
    `"relu"`, `"linear"` or `"hard_tanh"`, and a `Dense` layer after them or not. What does nothing
    in inference is skipped, as `Dropout`. A softmax or sigmoid at the end is left out: it does not
    change which output is the largest, or above 0 instead of one half.

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
    from keras_addrnn.quantization import _quantization_aware

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
    integers, clipped = quantize_float_model(model, representative_data, **given)
    for name, share in clipped.items():
        if share > _CLIPPED_SHARE:
            warnings.warn(
                "In integers `state_max` bounds the candidates too, which changes "
                f"{share:.0%} of those of layer '{name}'. Train it with "
                "keras_addrnn.quantization.quantization_aware, or with a larger `state_max`.",
                stacklevel=2,
            )
    return integers


def quantize_float_model(
    model, representative_data, *, weight_bits=8, state_bits=16, input_bits=8, rescale="shift"
):
    """What `quantize` makes of a model that is not quantization-aware.

    Returns:
        The `IntegerModel`, and a dict from each recurrent layer's name to the share of
        its candidates that integers clip at `state_max` and the layer does not.
    """
    weight_bits = _validation.integer("weight_bits", weight_bits, 2, 8)
    state_bits = _validation.integer("state_bits", state_bits, 2, 16)
    input_bits = _validation.integer("input_bits", input_bits, 1, 16)
    _validation.one_of("rescale", rescale, weight_quantization.RESCALES)
    layers = _keras_model.read(model)
    data = _calibration.checked(representative_data, layers[0].kernel.shape[0])
    inputs = layer_inputs = Quantization.of_range(data.min(), data.max(), input_bits)
    sample = np.linspace(0, len(data) - 1, min(len(data), _SEQUENCES)).astype(int)
    integers = inputs.quantize(data[sample])
    made, clipped = [], {}
    for layer in layers:
        if isinstance(layer, _keras_model.Dense):
            made.append(
                weight_quantization.dense(
                    layer.kernel,
                    layer.bias,
                    inputs=layer_inputs,
                    weight_bits=weight_bits,
                    name=layer.name,
                )
            )
            break
        reals, candidates, clipped[layer.name] = _calibration.real_states(layer, data)
        best = _best_layer(
            layer,
            layer_inputs,
            integers,
            reals[sample],
            _calibration.state_choices(layer, reals, candidates, layer_inputs, state_bits),
            weight_bits=weight_bits,
            rescale=rescale,
        )
        made.append(best)
        integers, _ = reference.run_layer(best, integers)
        layer_inputs = Quantization(state_bits, best.state_scale)
        data = reals
    return IntegerModel(inputs, made), clipped


def _best_layer(layer, inputs, integers, reals, states, **settings):
    """The layer whose states are nearest to the real ones, `[N, T, H]`."""
    best = None
    for state in states:
        made = weight_quantization.add_gru(
            layer.kernel,
            layer.recurrent_kernel,
            layer.bias,
            activation=layer.activation,
            inputs=inputs,
            state=state,
            name=layer.name,
            go_backwards=layer.go_backwards,
            return_sequences=layer.return_sequences,
            **settings,
        )
        outputs, last = reference.run_layer(made, integers)
        error = _error(outputs, reals, made.state_scale)
        if not layer.return_sequences:
            error = _error(last, reals[:, -1], made.state_scale)
        if best is None or error < best[0]:
            best = error, made
    return best[1]


def _error(integers, reals, scale):
    return float(np.square(integers * scale - reals).mean())
