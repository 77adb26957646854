"""What makes AddGRU read words better? Variants of the recurrent part of examples/handwriting.

Trains each for a few epochs and appends a JSON line of its losses to the records, unless there is
one. benchmarks/evidence.py makes the table of docs/evidence.md from them.

    python benchmarks/handwriting_search.py --data-dir DIR         # numbers, of MNIST's digits
    python benchmarks/handwriting_search.py --data fonts --epochs 12
"""

import argparse
import os
import pathlib
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "examples"))

HERE = pathlib.Path(__file__).parent
RECORDS = HERE / "results" / "handwriting_search.jsonl"
DATASETS = HERE.parent / "build" / "handwriting"
VARIANTS = (
    "GRU",
    "AddGRU",
    "AddGRU bias -1",
    "AddGRU norm",
    "AddGRU rate 0.005",
    "AddGRU bias -0.5",
    "AddGRU bias -2",
    "AddGRU max 1",
    "AddGRU inhibition 1",
    "AddGRU activation hard_tanh shift 1",
    "multiplying",
)


def settings_of(name):
    """`{"layer": "AddGRU", "bias": "-1"}` of "AddGRU bias -1"; "norm" and "falling" are alone."""
    layer, *words = name.split()
    settings = {"layer": layer}
    for word in {"norm", "falling"} & set(words):
        words.remove(word)
        settings[word] = "yes"
    return settings | dict(zip(words[::2], words[1::2], strict=True))


def make_layer(settings, units):
    import keras
    from defaults import GateBias
    from multiplying_gru import MultiplyingGRUCell

    import keras_addrnn as ka
    from keras_addrnn.layers import InhibitedOrthogonal

    if settings["layer"] == "multiplying":
        return keras.layers.RNN(MultiplyingGRUCell(units), return_sequences=True)
    if settings["layer"] != "AddGRU":
        return getattr(keras.layers, settings["layer"])(units, return_sequences=True)
    low, _, high = settings.get("bias", "0").partition("..")
    return ka.AddGRU(
        units,
        activation=settings.get("activation", "relu"),
        state_shift=float(settings.get("shift", 0)),
        state_max=float(settings["max"]) if "max" in settings else None,
        kernel_initializer=settings.get("kernel", "glorot_uniform"),
        recurrent_initializer=InhibitedOrthogonal(
            float(settings.get("gain", 0.1)), float(settings.get("inhibition", 0.5))
        ),
        bias_initializer=GateBias(float(low), float(high or low)),
        return_sequences=True,
    )


def recurrent(settings):
    """The recurrent part, as examples/handwriting/model.py has it, with what is changed."""
    import keras
    from handwriting import model, pipeline

    layers = [keras.Input((pipeline.STEPS, model.FEATURES))]
    factor = float(settings.get("width", 1))
    for units in model.UNITS:
        layers.append(keras.layers.Bidirectional(make_layer(settings, round(factor * units))))
        if "norm" in settings:
            layers.append(keras.layers.LayerNormalization())
    return keras.Sequential(layers, name="recurrent")


def train(name, words, alphabet, epochs, seed):
    """The losses after each epoch, and the character error rate on the validation images."""
    import keras
    from handwriting import decoding, metrics, model, pipeline, training

    settings = settings_of(name)
    keras.utils.set_random_seed(seed)
    network = model.build(settings["layer"], alphabet.size, recurrent(settings))
    rate = float(settings.get("rate", training.LEARNING_RATE))
    clip = float(settings.get("clip", 1))
    network.compile(
        keras.optimizers.Adam(rate, clipnorm=clip), loss=model.ctc_loss, auto_scale_loss=False
    )
    begin = time.process_time()
    history = network.fit(
        pipeline.batches(words.train, alphabet, shuffle_seed=seed),
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


def run(options):
    import machine

    machine.use_threads(1)
    from handwriting import sources
    from records import key_of, record, recorded

    words = sources.load(
        options.data,
        data_dir=options.data_dir,
        images=options.images,
        seed=0,
        directory=DATASETS,
    )
    alphabet = words.alphabet()
    for name in options.variants:
        settings = {"data": options.data, "images": options.images, "epochs": options.epochs}
        settings |= {"variant": name, "seed": options.seed}
        if key_of(settings) in recorded(options.file):
            continue
        result = train(name, words, alphabet, options.epochs, options.seed)
        record(
            options.file, {"settings": settings, "result": result, "machine": machine.description()}
        )
        losses = " ".join(f"{loss:.2f}" for loss in result["val_loss"])
        print(f"{name}: CER {result['cer']:.4f}; {losses}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", choices=("digits", "fonts"), default="digits")
    add("--data-dir", type=pathlib.Path, help="of IDX files of MNIST")
    add("--images", type=int, default=6000)
    add("--epochs", type=int, default=4)
    add("--seed", type=int, default=0)
    add("--variants", nargs="+", default=VARIANTS, help="see settings_of and make_layer")
    add("--file", type=pathlib.Path, default=RECORDS)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
