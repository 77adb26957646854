"""Which initial weights, and which bound on the state, should AddGRU have by default?

Trains small models on two tasks and appends one JSON line per run to a file. Runs that the file
has already are skipped, so it can be interrupted and continued. `--table` prints what it holds.

* adding: the adding problem (Hochreiter and Schmidhuber, 1997): the sum of the two marked values
  among T. Mean squared error; 0.167 for always answering 1. Batches of 64, Adam(1e-3).
* mnist: digits read row by row, 128 units, batches of 64, Adam(1e-3).

No gradients are clipped, as `model.fit` clips none unless it is told to.

    python benchmarks/defaults.py --task adding --timesteps 200
    python benchmarks/defaults.py --task mnist --full --data-dir DIR
    python benchmarks/defaults.py --table
"""

import argparse
import functools
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from records import key_of, record, recorded

import keras_addrnn as ka
from keras_addrnn.layers import InhibitedOrthogonal

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "examples"))

RESULTS = pathlib.Path(__file__).parent / "results" / "defaults.jsonl"

VARIANTS = [
    "GRU",
    "gain 1",  # orthogonal, as GRU's
    "gain 0.1",
    "gain 0.1 max 16",
    "gain 0.1 bias -1..1",
    "gain 0.1 inhibition 0.2",
    "gain 0.1 inhibition 0.5",
    "gain 0.1 inhibition 1",
    "gain 1 inhibition 0.5",
]


@keras.saving.register_keras_serializable(package="keras_addrnn_benchmarks")
class SpreadGateBias(keras.initializers.Initializer):
    """`low` to `high`, evenly, for the update gate; zeros for the candidate."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def __call__(self, shape, dtype=None):
        units = shape[0] // 2
        gate = np.random.default_rng(0).permutation(np.linspace(self.low, self.high, units))
        return keras.ops.convert_to_tensor(np.concatenate([gate, np.zeros(units)]), dtype)

    def get_config(self):
        return {"low": self.low, "high": self.high}


def make_layer(name, units):
    """From a name like "gain 0.1 inhibition 0.5 bias -1..1 max 16 shift 0"; "GRU" is Keras' own."""
    if name == "GRU":
        return keras.layers.GRU(units)
    words = name.split()
    value = dict(zip(words[::2], words[1::2], strict=True))
    low, _, high = value.get("bias", "0..0").partition("..")
    return ka.AddGRU(
        units,
        activation=value.get("activation", "relu"),
        recurrent_initializer=InhibitedOrthogonal(
            float(value.get("gain", 0.1)), float(value.get("inhibition", 0))
        ),
        bias_initializer=SpreadGateBias(float(low), float(high)),
        state_max=float(value["max"]) if "max" in value else None,
        state_shift=float(value.get("shift", 0)),
    )


def run_adding(name, units, seed, timesteps, steps):
    from adding_training import problems

    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model = keras.Sequential(
        [keras.Input((None, 2)), make_layer(name, units), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    x_val, y_val = problems(np.random.default_rng(10**6), 500, timesteps)
    losses, validation, solved = [], {}, None
    for step in range(1, steps + 1):
        model.reset_metrics()  # or the loss would be the mean of all batches so far
        losses.append(float(model.train_on_batch(*problems(rng, 64, timesteps))))
        if step % 50 == 0 or step == steps:
            error = float(np.mean((model.predict_on_batch(x_val) - y_val) ** 2))
            validation[step] = error
            if solved is None and error < 0.01:
                solved = step
            if not np.isfinite(error):
                break
    return {
        "first_loss": losses[0],
        "worst_loss": float(np.max(losses)),
        "solved_at": solved,
        "validation": validation,
    }


def run_mnist(name, units, seed, data, epochs):
    keras.utils.set_random_seed(seed)
    (x_train, y_train), (x_test, y_test) = data
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            make_layer(name, units),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(
        x_train, y_train, batch_size=64, epochs=epochs, validation_data=(x_test, y_test), verbose=0
    ).history
    return {"accuracy": history["val_accuracy"], "loss": history["loss"]}


def load_mnist(data_dir, full):
    import mnist_data
    from mnist_training import sequences

    digits = mnist_data.load(data_dir, full)
    return (sequences(digits.x_train), digits.y_train), (sequences(digits.x_test), digits.y_test)


def print_table(path):
    """One row per task and variant, with the results of all seeds."""
    rows = {}
    for run in recorded(path).values():
        settings = dict(run["settings"])
        del settings["seed"]
        rows.setdefault(json.dumps(settings), []).append(run["result"])
    print("| task | layer | result of each seed | worst loss in training |\n|---|---|---|---|")
    for key, results in sorted(rows.items()):
        settings = json.loads(key)
        variant, task = settings.pop("variant"), settings.pop("task")
        head = ", ".join(f"{name} {value}" for name, value in settings.items())
        if task == "adding":
            cells = [
                f"{result['solved_at'] or 'never'} ({list(result['validation'].values())[-1]:.4f})"
                for result in results
            ]
            worst = f"{max(result['worst_loss'] for result in results):.3g}"
        else:
            cells = [f"{100 * result['accuracy'][-1]:.2f} %" for result in results]
            worst = f"{max(max(result['loss']) for result in results):.3g}"
        print(f"| {task}, {head} | {variant} | {', '.join(cells)} | {worst} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--task", choices=["adding", "mnist"], default="adding")
    add("--variants", nargs="*", default=VARIANTS, help="see make_layer")
    add("--seeds", type=int, default=3)
    add("--units", type=int, help="64 for adding and 128 for mnist unless given")
    add("--timesteps", type=int, default=200, help="of the adding problem")
    add("--steps", type=int, default=600, help="batches of the adding problem")
    add("--epochs", type=int, default=3, help="of mnist")
    add("--data-dir", type=pathlib.Path, help="of IDX files of MNIST")
    add("--full", action="store_true", help="all 60,000 digits and not 10,000")
    add("--file", type=pathlib.Path, default=RESULTS)
    add("--table", action="store_true", help="print what the file holds")
    options = parser.parse_args()
    if options.table:
        return print_table(options.file)

    if options.task == "adding":
        units = options.units or 64
        varied = {"T": options.timesteps, "steps": options.steps}
        run = functools.partial(run_adding, timesteps=options.timesteps, steps=options.steps)
    else:
        units = options.units or 128
        data = load_mnist(options.data_dir, options.full)
        varied = {"digits": len(data[0][0]), "epochs": options.epochs}
        run = functools.partial(run_mnist, data=data, epochs=options.epochs)
    for seed in range(options.seeds):
        for name in options.variants:
            settings = {"task": options.task, **varied, "units": units}
            settings |= {"variant": name, "seed": seed}
            if key_of(settings) in recorded(options.file):
                continue
            result = run(name, units, seed)
            record(options.file, {"settings": settings, "result": result})
            print(settings, flush=True)


if __name__ == "__main__":
    main()
