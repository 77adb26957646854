"""Small models with AddGRU, and what to feed them."""

import keras
import numpy as np

FEATURES, UNITS = 3, 5


def randomised(model, seed=0):
    """The model with other weights than zeros in its biases, so that none can go missing unseen."""
    generator = np.random.default_rng(seed)
    model.set_weights([generator.normal(0, 0.4, w.shape) for w in model.get_weights()])
    return model


def sequences(batch=1, steps=7, seed=1, low=-1.0):
    generator = np.random.default_rng(seed)
    return generator.uniform(low, 1, (batch, steps, FEATURES)).astype("float32")


def sequential(*layers, steps=7):
    return randomised(keras.Sequential([keras.Input((steps, FEATURES), name="rows"), *layers]))
