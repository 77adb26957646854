"""Series: tomorrow's demand, and whose voice or which appliance was recorded."""

import functools

import keras
import numpy as np

from benchmarks._tasks import demand, recorded_series
from benchmarks._tasks.learning import classify, learn

UNITS = 64


def forecasting(make, seed):
    """The mean absolute error of a day's hours, in the demand's own unit."""
    (x, y), (x_test, y_test), unit = demand.load()
    week = keras.Input((demand.PAST, 1))
    yesterday = keras.layers.Flatten()(week[:, -demand.FUTURE :])
    features = keras.layers.Conv1D(32, 6, strides=6, activation="relu")(week)
    change = keras.layers.Dense(demand.FUTURE)(make(UNITS)(features))
    model = keras.Model(week, keras.layers.Add()([yesterday, change]))
    model.compile(keras.optimizers.Adam(1e-3), "mse")

    def error():
        return unit * np.mean(abs(model.predict(x_test, batch_size=500, verbose=0) - y_test))

    return learn(model, x, y, error=error, epochs=6, batch_size=64)


def japanese_vowels(make, seed):
    return _recorded(make, "japanese_vowels", every=1, epochs=30)


def plaid(make, seed):
    return _recorded(make, "plaid", every=8, epochs=30)


def _recorded(make, name, *, every, epochs):
    """The error rate on series of different lengths, which are padded and masked."""
    train, test = _load(name, every)
    x, y = train
    layers = [
        keras.Input(x.shape[1:]),
        keras.layers.Masking(recorded_series.PADDING),
        make(UNITS),
        keras.layers.Dense(int(y.max()) + 1, activation="softmax"),
    ]
    return classify(keras.Sequential(layers), train, test, epochs=epochs, batch_size=32)


_load = functools.cache(recorded_series.load)
