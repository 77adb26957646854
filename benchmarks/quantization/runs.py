"""Trains, quantizes and trains on, as the settings of a run say."""

import functools

import keras
import numpy as np

import keras_addrnn as ka
from benchmarks._tasks import adding, digits
from benchmarks.quantization import peers
from benchmarks.quantization.plan import FLOAT

CALIBRATION = 256  # sequences of the training data
REACHES = (1.0, 0.75, 0.5, 0.375, 0.25)  # of the state; as `ka.quantization.quantize` tries them


class Task:
    """Data, sizes and loss of a task; made once for the runs of one layer and seed."""

    def __init__(self, settings, data_dir):
        self.settings = settings
        self.units = settings["units"]
        if settings["task"] == "mnist":
            self.features, self.outputs, self.activation, self.batch = 28, 10, "softmax", 128
            self.loss, self.metric = "sparse_categorical_crossentropy", "accuracy"
            x_train, y_train, x_test, y_test = digits.load(data_dir)
            count = settings["digits"]
            self.train = digits.sequences(x_train[:count]), y_train[:count]
            self.test = digits.sequences(x_test), y_test
        else:
            self.features, self.outputs, self.activation, self.batch = 2, 1, "linear", 64
            self.loss = self.metric = "mse"
            timesteps = settings["T"]
            self.train = adding.problems(np.random.default_rng(0), 6400, timesteps)
            self.test = adding.problems(np.random.default_rng(10**6), 2000, timesteps)
        self.float_model = self._float_model()

    def compile(self, model, epochs):
        """Adam whose learning rate falls from 0.001 to 0."""
        steps = epochs * -(-len(self.train[1]) // self.batch)
        rate = keras.optimizers.schedules.PolynomialDecay(1e-3, steps, 0.0)
        model.compile(keras.optimizers.Adam(rate), self.loss, metrics=[self.metric])
        return model

    def fit(self, model, epochs):
        keras.utils.set_random_seed(self.settings["seed"])
        model.fit(*self.train, batch_size=self.batch, epochs=epochs, verbose=0)

    def measure(self, model):
        found = model.evaluate(*self.test, batch_size=500, verbose=0, return_dict=True)
        return found[self.metric]

    def _peer_model(self, quantized):
        sizes = self.features, self.units, self.outputs
        return peers.peer_model(self.settings["layer"], *sizes, self.activation, quantized)

    def _float_model(self):
        keras.utils.set_random_seed(self.settings["seed"])
        if self.settings["layer"] in peers.KINDS:
            model = self._peer_model(quantized=False)
        else:
            layers = [keras.Input((None, self.features)), ka.AddGRU(self.units)]
            layers.append(keras.layers.Dense(self.outputs, activation=self.activation))
            model = keras.Sequential(layers)
        self.compile(model, self.settings["float_epochs"])
        self.fit(model, self.settings["float_epochs"])
        return model

    def aware(self, weight_bits, state_bits):
        """The fake-quantized model, calibrated."""
        calibration = self.train[0][:CALIBRATION]
        epochs = self.settings["aware_epochs"]
        model, layer = self.float_model, self.settings["layer"]
        if layer == "AddGRU":
            aware = ka.quantization.quantization_aware(
                model, calibration, weight_bits=weight_bits, state_bits=state_bits
            )
            return self.compile(aware, epochs)
        aware = self.compile(self._peer_model(quantized=True), epochs)
        for ours, floats in zip(aware.layers[1:], model.layers[1:], strict=True):
            pairs = zip(ours.trainable_variables, floats.trainable_variables, strict=True)
            for variable, trained in pairs:
                variable.assign(trained)
        target = keras.Model(model.inputs, model.layers[1].output)(calibration)
        target = keras.ops.convert_to_numpy(target)
        states = keras.Model(aware.inputs, aware.layers[1].output)
        unit = (1.0 if layer == "GRU" else np.abs(target).max()) / (2 ** (state_bits - 1) - 1)

        def error(numbers):
            peers.set_bits(aware, weight_bits, state_bits, *numbers)
            return np.square(states.predict_on_batch(calibration) - target).mean()

        tried = ((reach * unit, table) for reach in REACHES for table in (8.0, 4.0))
        peers.set_bits(aware, weight_bits, state_bits, *min(tried, key=error))
        return aware


@functools.lru_cache(maxsize=1)
def _task(items, data_dir):
    return Task(dict(items), data_dir)


def run(settings, options, keep):
    trained = {name: settings[name] for name in settings if not name.endswith("_bits")}
    task = _task(tuple(trained.items()), options.data_dir)
    width = settings["weight_bits"], settings["state_bits"]
    if width == FLOAT:
        keep(settings, {"float": task.measure(task.float_model)})
        return
    aware = task.aware(*width)
    post = task.measure(aware)
    task.fit(aware, settings["aware_epochs"])
    keep(settings, {"post": post, "aware": task.measure(aware)})
