"""What makes AddGRU read words better? Variants of the recurrent part of examples/handwriting.

Trains each of `VARIANTS` and appends a JSON line of its losses to the records, unless there is one.
benchmarks/evidence.py makes the table of docs/evidence.md from them.

    python benchmarks/handwriting_search.py --data-dir DIR            # IDX files of MNIST
    python benchmarks/handwriting_search.py --data fonts --epochs 30  # some of them
"""

import argparse
import os
import pathlib
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "examples"))

import keras
import machine
import numpy as np
from handwriting import decoding, metrics, model, pipeline, sources, training
from records import key_of, record, recorded

import keras_addrnn as ka

HERE = pathlib.Path(__file__).parent
RECORDS = HERE / "results" / "handwriting_search.jsonl"
DATASETS = HERE.parent / "build" / "handwriting"
IMAGES, SEED = 6000, 0
# By the words and the epochs; what the names say is in `settings_of`.
VARIANTS = {
    ("digits", 4): ("AddGRU bias -1", "AddGRU norm"),
    ("digits", 10): (
        "AddGRU norm",
        "AddGRU norm activation hard_tanh",
        "AddGRU norm width 1.2",
        "AddGRU norm rate 0.004",
        "AddGRU norm max 4",
        "AddGRU norm falling",
        "GRU norm",
        "GRU norm falling",
    ),
    ("fonts", 12): (
        "AddGRU norm max 4",
        "AddGRU norm falling",
        "AddGRU norm falling bias -0.25",
        "AddGRU norm falling bias -0.5",
        "AddGRU norm falling bias -1",
        "AddGRU falling bias -0.5",
        "GRU norm falling",
        "GRU norm falling bias -0.5",
    ),
    ("fonts", 30): (
        "AddGRU norm falling width 1.25",
        "AddGRU norm falling rate 0.004",
        "AddGRU norm falling rate 0.008",
        "AddGRU norm falling width 1.25 rate 0.004",
        "GRU norm falling rate 0.004",
    ),
}
ALONE = {"norm", "falling"}  # a LayerNormalization after each layer; a rate that falls
WITH_VALUES = {"bias", "rate", "width"}  # of the update gate; Adam's; so many times the units
OF_ADDGRU = {"activation", "max"}  # max: `state_max`


def settings_of(name):
    """`{"layer": "AddGRU", "norm": True, "bias": "-1"}` of "AddGRU norm bias -1"."""
    layer, *words = name.split()
    settings = {"layer": layer} | {word: True for word in words if word in ALONE}
    words = [word for word in words if word not in ALONE]
    settings |= dict(zip(words[::2], words[1::2], strict=True))
    known = {"layer"} | ALONE | WITH_VALUES | (OF_ADDGRU if layer == "AddGRU" else set())
    if not settings.keys() <= known:
        raise ValueError(f"'{name}': {layer} has no {sorted(settings.keys() - known)}")
    return settings


@keras.saving.register_keras_serializable(package="keras_addrnn_benchmarks")
class GRUBias(keras.initializers.Initializer):
    """Of GRU's update gates, what `keras_addrnn.layers.GateBias` is of AddGRU's."""

    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None):
        # Of the inputs and of the state; update, reset, candidate.
        bias = np.repeat([[self.value, 0, 0], [0, 0, 0]], shape[1] // 3, axis=1)
        return keras.ops.convert_to_tensor(bias, dtype)

    def get_config(self):
        return {"value": self.value}


def make_layer(settings, units, **more):
    bias = float(settings.get("bias", 0))
    if settings["layer"] == "GRU":
        return keras.layers.GRU(units, bias_initializer=GRUBias(bias), **more)
    return ka.AddGRU(
        units,
        activation=settings.get("activation", "relu"),
        state_max=float(settings["max"]) if "max" in settings else None,
        bias_initializer=ka.layers.GateBias(bias),
        **more,
    )


def recurrent(settings):
    """The recurrent part of examples/handwriting/model.py, with what is changed."""
    factor = float(settings.get("width", 1))
    return model.recurrent(
        lambda units, **more: make_layer(settings, round(factor * units), **more),
        normalised="norm" in settings,
    )


def train(name, words, alphabet, epochs):
    """The losses after each epoch, and the character error rate on the validation images."""
    settings = settings_of(name)
    keras.utils.set_random_seed(SEED)
    network = model.build(settings["layer"], alphabet.size, recurrent(settings))
    rate = float(settings.get("rate", training.LEARNING_RATE))
    network.compile(
        keras.optimizers.Adam(rate, clipnorm=1.0), loss=model.ctc_loss, auto_scale_loss=False
    )
    begin = time.process_time()
    history = network.fit(
        pipeline.batches(words.train, alphabet, shuffle_seed=SEED),
        validation_data=pipeline.batches(words.validation, alphabet),
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[training.falling_rate(rate, epochs)] if "falling" in settings else [],
    ).history
    seconds = time.process_time() - begin
    images, texts = pipeline.arrays(words.validation)
    cer, _ = metrics.error_rates(
        texts, decoding.decode(network.predict(images, verbose=0), alphabet)
    )
    return {**history, "cer": cer, "processor_seconds": seconds}


def run(data, epochs, data_dir):
    """Trains the variants on one kind of words, for so many epochs, that are missing."""
    about = {"data": data, "images": IMAGES, "seed": SEED, "epochs": epochs}
    runs = {name: key_of({**about, "variant": name}) for name in VARIANTS[data, epochs]}
    if set(runs.values()) <= recorded(RECORDS).keys():
        return
    words = sources.load(data, data_dir=data_dir, images=IMAGES, seed=SEED, directory=DATASETS)
    alphabet = words.alphabet()
    for name, key in runs.items():
        if key in recorded(RECORDS):  # anew: another process may be training the rest
            continue
        result = train(name, words, alphabet, epochs)
        line = {
            "settings": {**about, "variant": name},
            "result": result,
            "machine": machine.description(),
        }
        record(RECORDS, line)
        losses = " ".join(f"{loss:.2f}" for loss in result["val_loss"])
        print(f"{name}: CER {result['cer']:.4f}; {losses}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds, epochs = (list(dict.fromkeys(each)) for each in zip(*VARIANTS, strict=True))
    add = parser.add_argument
    add("--data", choices=kinds, nargs="+", default=kinds, help="only these words")
    add("--epochs", choices=epochs, type=int, nargs="+", default=epochs, help="only so many")
    add("--data-dir", type=pathlib.Path, help="of IDX files of MNIST; needed for digits")
    options = parser.parse_args()
    chosen = [key for key in VARIANTS if key[0] in options.data and key[1] in options.epochs]
    if not chosen:
        parser.error(f"there are variants of {', '.join(f'{d} with {e}' for d, e in VARIANTS)}")
    if any(data == "digits" for data, _ in chosen) and options.data_dir is None:
        parser.error("digits need --data-dir, the IDX files of MNIST")
    machine.use_threads(1)
    for data, epochs in chosen:
        run(data, epochs, options.data_dir if data == "digits" else None)


if __name__ == "__main__":
    main()
