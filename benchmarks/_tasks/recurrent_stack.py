"""The recurrent part of the network that reads handwriting: two bidirectional layers."""

import keras

import keras_addrnn as ka

STEPS, FEATURES = 32, 64
UNITS = (128, 64)
LAYERS = {"AddGRU": ka.AddGRU, "GRU": keras.layers.GRU, "LSTM": keras.layers.LSTM}


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
