"""Small models with AddGRU, and what to feed them."""

import keras
import numpy as np

import keras_addrnn as ka

FEATURES, UNITS = 3, 5


def randomised(model, seed=0):
    """The model with other weights than zeros in its biases, so that none can go missing unseen."""
    generator = np.random.default_rng(seed)
    weights = model.get_weights()
    # The factors of inputs, which are single numbers, stay 1.
    model.set_weights([generator.normal(0, 0.4, w.shape) if w.ndim else w for w in weights])
    return model


def sequences(batch=1, steps=7, seed=1, low=-1.0):
    generator = np.random.default_rng(seed)
    return generator.uniform(low, 1, (batch, steps, FEATURES)).astype("float32")


def sequential(*layers, steps=7):
    return randomised(keras.Sequential([keras.Input((steps, FEATURES), name="rows"), *layers]))


def stacked():
    """Two AddGRU layers with others around."""
    return sequential(
        keras.layers.Dense(4, activation="relu"),
        ka.AddGRU(UNITS, return_sequences=True),
        keras.layers.LayerNormalization(),
        ka.AddGRU(4),
        keras.layers.Dense(2, activation="softmax"),
    )


def masked(valid, zero_output_for_mask):
    """A model that masks, and two sequences, of which the first has only the steps `valid`."""
    model = sequential(
        keras.layers.Masking(),
        ka.AddGRU(4, return_sequences=True, zero_output_for_mask=zero_output_for_mask),
        ka.AddGRU(UNITS),
    )
    inputs = np.zeros((2, 7, FEATURES), "float32")
    inputs[0, valid] = sequences(low=0.1)[0, valid]
    inputs[1] = sequences(seed=2, low=0.1)
    return model, inputs
