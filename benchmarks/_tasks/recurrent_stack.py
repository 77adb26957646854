"""The recurrent part of the network that reads handwriting: two bidirectional layers."""

import functools

import keras

import keras_addrnn as ka

STEPS, FEATURES = 32, 64
UNITS = (128, 64)
GATE_BIAS = -0.5  # a letter is read from what is near it: forget from the start (docs/evidence.md)
LAYERS = {
    "AddGRU": functools.partial(ka.AddGRU, bias_initializer=ka.layers.GateBias(GATE_BIAS)),
    "GRU": keras.layers.GRU,
    "LSTM": keras.layers.LSTM,
}


def build(layer, normalized=True, steps=STEPS):
    """A model `[B, steps, 64]` to `[B, steps, 128]` of two bidirectional layers.

    Args:
        layer: Function of the number of units, and of `return_sequences`.
        normalized: Whether a LayerNormalization follows each of them.
        steps: How many it reads.
    """
    layers = [keras.Input((steps, FEATURES))]
    for units in UNITS:
        layers.append(keras.layers.Bidirectional(layer(units, return_sequences=True)))
        if normalized:
            layers.append(keras.layers.LayerNormalization())
    return keras.Sequential(layers, name="recurrent")
