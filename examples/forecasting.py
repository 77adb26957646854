"""
Title: Forecasting a series
Description: AddGRU reads a week of hours and forecasts the next day.

The series is made, so that nothing is downloaded and anybody can check it: an hourly demand with a
day's rhythm, quieter weekends, and weather that drifts and fades. Real demand for electricity looks
alike. A calendar alone cannot forecast the weather's part. The last hours tell about it.

You will see the error of the forecast beside two naive ones: yesterday again, last week again.

    python examples/forecasting.py    # half a minute on two cores

## Setup
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import keras_addrnn as ka

DAYS = 3 * 365
EPOCHS = 8
UNITS = 64
PAST = 7 * 24  # hours
FUTURE = 24

"""
## The data

The weather of an hour is 0.98 of the weather an hour before, and a random change.
"""

generator = np.random.default_rng(0)
hours = np.arange(24 * DAYS)
weather = np.zeros(len(hours))
for hour in hours[1:]:
    weather[hour] = 0.98 * weather[hour - 1] + generator.normal(0, 0.2)
day = np.sin(2 * np.pi * hours / 24) + 0.5 * np.sin(4 * np.pi * hours / 24 + 1)
weekend = np.where(hours // 24 % 7 >= 5, 0.6, 1.0)
demand = 10 + 3 * weekend * day + weather + generator.normal(0, 0.1, len(hours))

"""
The last fifth is for the test. The scale comes from the part to train on.
"""

end = int(0.8 * len(demand))
mean, deviation = demand[:end].mean(), demand[:end].std()
series = ((demand - mean) / deviation).astype("float32")


def windows(values, stride):
    """Pairs of a week `[count, 168, 1]` and the day after it `[count, 24]`."""
    both = np.lib.stride_tricks.sliding_window_view(values, PAST + FUTURE)[::stride]
    return both[:, :PAST, np.newaxis], both[:, PAST:]


x_train, y_train = windows(series[:end], stride=1)
x_test, y_test = windows(series[end:], stride=7)
print(f"{len(x_train):,} weeks to train on, {len(x_test):,} to test")

"""
## The model

The last state becomes the 24 hours at once. The model forecasts what differs from yesterday, which
is a naive forecast already: the network has to learn the difference only.
"""

keras.utils.set_random_seed(0)
week = keras.Input((PAST, 1))
yesterday = keras.layers.Flatten()(week[:, -FUTURE:])
features = keras.layers.Conv1D(32, 6, strides=6, activation="relu")(week)
state = ka.AddGRU(UNITS)(features)
forecast = keras.layers.Add()([yesterday, keras.layers.Dense(FUTURE)(state)])
model = keras.Model(week, forecast)

model.compile("adam", "mse")
model.fit(x_train, y_train, batch_size=64, epochs=EPOCHS, verbose=2)

"""
## The result

The error is the mean absolute difference from the true demand, in its own unit.
"""

forecasts = {
    "AddGRU": model.predict(x_test, verbose=0),
    "yesterday again": x_test[:, -FUTURE:, 0],
    "last week again": x_test[:, :FUTURE, 0],
}
errors = {name: deviation * abs(values - y_test).mean() for name, values in forecasts.items()}
for name, error in errors.items():
    print(f"{name:16} mean absolute error {error:.2f}")

"""
One day of the test, hour by hour. `o` is the true demand, `x` the forecast, `@` both in one place.
"""

print("\nhour  demand")
for hour in range(0, FUTURE, 2):
    true, guess = (
        round(4 * (mean + deviation * v[60, hour])) for v in (y_test, forecasts["AddGRU"])
    )
    line = [" "] * 70
    line[guess], line[true] = "x", "@" if guess == true else "o"
    print(f"{hour:4}  |{''.join(line).rstrip()}")
