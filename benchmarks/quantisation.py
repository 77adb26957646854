"""How many bits does the addition gate need, beside a gate that multiplies, and GRU?

Trains float models, quantises each at several widths, trains the quantised ones on, and appends one
JSON line per run to a file. Runs that the file has already are skipped, so it can be interrupted
and continued. `--table` and `--plot` show what it holds.

* mnist: digits read row by row; accuracy on the 10,000 test digits.
* adding: the sum of the two marked values among T; mean squared error on 2,000 sequences.

"Post" is a trained model whose numbers are rounded, "aware" the same model trained on as it
computes in integers. AddGRU is `keras_addrnn.integer`'s, the others are in quantised_peers.py.
Inputs have 8 bits.

    python benchmarks/quantisation.py --task mnist --data-dir DIR
    python benchmarks/quantisation.py --task adding
    python benchmarks/quantisation.py --table
"""

import argparse
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import quantised_peers as peers
from records import key_of, record, recorded

import keras_addrnn as ka

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "examples"))

RESULTS = pathlib.Path(__file__).parent / "results" / "quantisation.jsonl"
LAYERS = ("AddGRU", *peers.KINDS)
# Weights and state of the same few bits; and few bits of the weights alone.
WIDTHS = {
    "weights and state": [(8, 16), (6, 6), (5, 5), (4, 4), (3, 3), (2, 2)],
    "weights only": [(6, 16), (5, 16), (4, 16), (3, 16), (2, 16)],
}
CALIBRATION = 256  # sequences of the training data
REACHES = (1.0, 0.75, 0.5, 0.375, 0.25)  # of the state; as `ka.quantization.quantize` tries them


def adding_problem(rng, n, timesteps):
    """Sequences `[n, T, 2]` of values and two marks, and the sums `[n, 1]` of the marked values."""
    values = rng.random((n, timesteps))
    marks = np.zeros((n, timesteps))
    rows = np.arange(n)
    marks[rows, rng.integers(0, timesteps // 2, n)] = 1
    marks[rows, rng.integers(timesteps // 2, timesteps, n)] = 1
    return np.stack([values, marks], -1).astype("float32"), (values * marks).sum(1, keepdims=True)


class Mnist:
    units, batch, float_epochs, aware_epochs = 64, 128, 5, 2
    features, outputs, activation = 28, 10, "softmax"
    loss, metric = "sparse_categorical_crossentropy", "accuracy"

    def __init__(self, data_dir, digits):
        import mnist_data
        from mnist_training import sequences

        data = mnist_data.load(data_dir, full=True)
        self.train = sequences(data.x_train[:digits]), data.y_train[:digits]
        self.test = sequences(data.x_test), data.y_test
        self.settings = {"task": "mnist", "digits": len(self.train[1]), "units": self.units}


class Adding:
    units, batch, float_epochs, aware_epochs = 64, 64, 8, 2
    features, outputs, activation = 2, 1, "linear"
    loss, metric = "mse", "mse"

    def __init__(self, timesteps):
        self.train = adding_problem(np.random.default_rng(0), 6400, timesteps)
        self.test = adding_problem(np.random.default_rng(10**6), 2000, timesteps)
        self.settings = {"task": "adding", "T": timesteps, "units": self.units}


def compiled(model, task, epochs):
    """Adam whose learning rate falls from 0.001 to 0."""
    steps = epochs * -(-len(task.train[1]) // task.batch)
    rate = keras.optimizers.schedules.PolynomialDecay(1e-3, steps, 0.0)
    model.compile(keras.optimizers.Adam(rate), task.loss, metrics=[task.metric])
    return model


def fit(model, task, epochs, seed):
    keras.utils.set_random_seed(seed)
    model.fit(*task.train, batch_size=task.batch, epochs=epochs, verbose=0)


def measure(model, task):
    return model.evaluate(*task.test, batch_size=500, verbose=0, return_dict=True)[task.metric]


def float_model(layer, task, seed):
    keras.utils.set_random_seed(seed)
    if layer in peers.KINDS:
        model = peers.peer_model(
            layer, task.features, task.units, task.outputs, task.activation, False
        )
    else:
        model = keras.Sequential(
            [
                keras.Input((None, task.features)),
                ka.AddGRU(task.units),
                keras.layers.Dense(task.outputs, activation=task.activation),
            ]
        )
    compiled(model, task, task.float_epochs)
    fit(model, task, task.float_epochs, seed)
    return model


def aware_of(model, layer, task, weight_bits, state_bits, made):
    """The fake-quantised model, calibrated; `made` keeps that of the peers from call to call."""
    calibration = task.train[0][:CALIBRATION]
    if layer == "AddGRU":
        aware = ka.quantization.quantization_aware(
            model, calibration, weight_bits=weight_bits, state_bits=state_bits
        )
        return compiled(aware, task, task.aware_epochs)
    if layer not in made:
        aware = peers.peer_model(
            layer, task.features, task.units, task.outputs, task.activation, True
        )
        compiled(aware, task, task.aware_epochs)
        made[layer] = aware, keras.Model(aware.inputs, aware.layers[1].output)
    aware, states = made[layer]
    for variable in aware.optimizer.variables:
        if "learning_rate" not in variable.name:
            variable.assign(keras.ops.zeros_like(variable))
    for ours, floats in zip(aware.layers[1:], model.layers[1:], strict=True):
        for variable, trained in zip(
            ours.trainable_variables, floats.trainable_variables, strict=True
        ):
            variable.assign(trained)
    target = keras.Model(model.inputs, model.layers[1].output)(calibration)
    target = keras.ops.convert_to_numpy(target)
    largest = 1.0 if layer == "GRU" else np.abs(target).max()
    best = None
    for reach in REACHES:
        for table_range in (8.0, 4.0):
            numbers = (
                weight_bits,
                state_bits,
                reach * largest / (2 ** (state_bits - 1) - 1),
                table_range,
            )
            peers.set_bits(aware, *numbers)
            error = np.square(states.predict_on_batch(calibration) - target).mean()
            if best is None or error < best[0]:
                best = error, numbers
    peers.set_bits(aware, *best[1])
    return aware


def run(layer, task, seed, widths, file):
    """Runs what the file does not hold yet of one layer and seed."""

    def settings(weight_bits, state_bits):
        trained = {"float_epochs": task.float_epochs, "aware_epochs": task.aware_epochs}
        bits = {"weight_bits": weight_bits, "state_bits": state_bits}
        return {**task.settings, **trained, "layer": layer, "seed": seed, **bits}

    def missing(widths):
        known = recorded(file)
        return [width for width in widths if key_of(settings(*width)) not in known]

    def keep(width, result):
        record(file, {"settings": settings(*width), "result": result})
        print(layer, "seed", seed, width, result, flush=True)

    if not missing(widths):
        return
    model = float_model(layer, task, seed)
    if missing([(32, 32)]):
        keep((32, 32), {"float": measure(model, task)})
    made = {}
    for width in missing(widths):
        aware = aware_of(model, layer, task, *width, made)
        post = measure(aware, task)
        fit(aware, task, task.aware_epochs, seed)
        keep(width, {"post": post, "aware": measure(aware, task)})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--task", choices=["mnist", "adding"], default="mnist")
    add("--layers", nargs="*", choices=LAYERS, default=LAYERS)
    add("--schemes", nargs="*", choices=list(WIDTHS), default=list(WIDTHS))
    add("--seeds", nargs="*", type=int, default=[0, 1, 2])
    add("--digits", type=int, default=20_000, help="to train on")
    add("--timesteps", type=int, default=50, help="of the adding problem")
    add("--data-dir", type=pathlib.Path, help="of IDX files of MNIST")
    add("--file", type=pathlib.Path, default=RESULTS)
    add("--table", action="store_true", help="print what the file holds")
    add("--plot", type=pathlib.Path, help="draw what the file holds")
    options = parser.parse_args()
    if options.table or options.plot:
        import quantisation_report as report

        if options.plot:
            report.plot(options.file, options.plot)
        return options.table and report.print_tables(options.file)
    if options.task == "mnist":
        task = Mnist(options.data_dir, options.digits)
    else:
        task = Adding(options.timesteps)
    widths = [width for scheme in options.schemes for width in WIDTHS[scheme]]
    for seed in options.seeds:
        for layer in options.layers:
            run(layer, task, seed, widths, options.file)


if __name__ == "__main__":
    main()
