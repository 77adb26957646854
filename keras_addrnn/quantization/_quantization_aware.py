"""Quantization-aware training: a Keras model that computes what its integers will, and trains."""

from typing import Any

import keras

from addrnn import _validation
from addrnn.model import IntegerModel
from addrnn.quantization import StateQuantization
from keras_addrnn._sequential import layers_in_order
from keras_addrnn.layers import MinAddGRU
from keras_addrnn.quantization import _post_training
from keras_addrnn.quantization._fake_quantized import FakeQuantized
from keras_addrnn.quantization._fake_quantized_add_gru import FakeQuantizedAddGRU
from keras_addrnn.quantization._fake_quantized_dense import FakeQuantizedDense
from keras_addrnn.quantization._fake_quantized_min_add_gru import FakeQuantizedMinAddGRU


def quantization_aware(
    model: keras.Model,
    representative_data: Any,
    *,
    weight_bits: int = 8,
    state_bits: int = 16,
    input_bits: int = 8,
    accumulator_bits: int | None = None,
) -> keras.Model:
    """Makes a Keras model that computes in integers and is trained like any other.

    In the forward pass inputs, weights and states are the integers that they will be, saturation
    included; gradients go straight through the rounding, and are 0 where a state saturates. A few
    epochs, with a learning rate that falls to 0, win back most of what the bits have cost:

        aware = keras_addrnn.quantization.quantization_aware(model, x_train[:500], weight_bits=4)
        aware.compile("adam", "sparse_categorical_crossentropy")
        aware.fit(x_train, y_train)
        integers = keras_addrnn.quantization.quantize(aware)

    The ranges of inputs and states are those that `quantize` chooses, and stay as they are. The
    steps of the weights follow the weights. Dropout within the recurrent layers is left out.

    Args:
        model: Keras model, as for `quantize`, trained as it is to begin with. It stays as it is.
        representative_data: Real numbers `[N, T, D]`, as for `quantize`.
        weight_bits: Integer from 2 to 8.
        state_bits: Integer from 2 to 16.
        input_bits: Integer from 1 to 16.
        accumulator_bits: Integer from 2 to 24, or None for no limit. Each sum of a recurrent layer
            then has at most `2**accumulator_bits` values, whatever inputs and states are. Under
            encryption a table of so many bits reads the sum; fewer bits are cheaper. Weights that
            would exceed it are made smaller, and a penalty in the loss holds them there.

    Returns:
        A `keras.Model` of the same layers with the same weights. Its recurrent layers and the dense
        one at the end are `FakeQuantizedAddGRU`, `FakeQuantizedMinAddGRU` and `FakeQuantizedDense`.
        It is not compiled yet.

    Raises:
        TypeError: An argument is of the wrong type, or `representative_data` is missing.
        ValueError: As for `quantize`, or `model` is quantization-aware already.
    """
    if is_aware(model):
        raise _validation.value_error(
            "model",
            "not be quantization-aware already",
            f"'{model.name}'",
            "Take the model it was made of.",
        )
    integers, _ = _post_training.quantize_float_model(
        model,
        representative_data,
        weight_bits=weight_bits,
        state_bits=state_bits,
        input_bits=input_bits,
    )
    first = model.inputs[0]
    outputs = inputs = keras.Input(first.shape[1:], dtype=first.dtype, name=first.name)
    made = iter(integers.layers)
    quantization = integers.inputs
    for layer in layers_in_order(model):
        inner = layer.layer if isinstance(layer, keras.layers.TimeDistributed) else layer
        copy = inner.__class__.from_config(inner.get_config())
        if isinstance(inner, keras.layers.Dense):
            outputs = FakeQuantizedDense(copy, quantization, weight_bits, name=layer.name)(outputs)
        elif isinstance(inner, (keras.layers.RNN, MinAddGRU)):
            chosen = next(made)
            shift = getattr(chosen, "state_shift", 0)  # MinAddGRU has none
            state = StateQuantization(
                chosen.state_bits, chosen.state_scale, shift, chosen.state_max
            )
            kind = FakeQuantizedMinAddGRU if isinstance(inner, MinAddGRU) else FakeQuantizedAddGRU
            aware = kind(copy, quantization, state, weight_bits, accumulator_bits, name=layer.name)
            outputs = aware(outputs)
            quantization = state.quantization
        else:
            outputs = copy(outputs)
        copy.set_weights(inner.get_weights())
    return keras.Model(inputs, outputs, name=f"{model.name}_aware")


def is_aware(model: object) -> bool:
    """Whether `quantization_aware` made the model."""
    return isinstance(model, keras.Model) and any(
        isinstance(layer, FakeQuantized) for layer in model.layers
    )


def integer_model(model: keras.Model) -> IntegerModel:
    """The `IntegerModel` of a quantization-aware model: the integers of its forward pass."""
    layers = [layer for layer in layers_in_order(model) if isinstance(layer, FakeQuantized)]
    return IntegerModel(layers[0].inputs, [layer.integers() for layer in layers])
