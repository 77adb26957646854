"""What makes AddGRU read words better? Variants of the recurrent part of examples/handwriting.

Each variant trains on the words that the demonstration composes, in a network like its own.

    python -m benchmarks.handwriting_search                       # the table of what is recorded
    python -m benchmarks.handwriting_search --run --data-dir DIR  # IDX files of MNIST; hours
    python -m benchmarks.handwriting_search --run --match data=fonts epochs=12
"""

import functools
import time
import types

import keras
import numpy as np
from keras import layers

import keras_addrnn as ka
from benchmarks import handwriting
from benchmarks._harness import machine, markdown
from benchmarks._harness.experiment import Experiment
from benchmarks._tasks import recurrent_stack
from benchmarks._tasks.initializers import GRUBias

HEIGHT, WIDTH = 32, 128
FILTERS = (16, 32)
BATCH, LEARNING_RATE = 64, 2e-3
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


def plan():
    for (data, epochs), names in VARIANTS.items():
        for name in names:
            about = {"data": data, "images": handwriting.IMAGES, "epochs": epochs}
            yield {**about, "variant": name, "seed": 0}


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


def recurrent(settings):
    """The recurrent part, with what is changed."""
    factor, bias = float(settings.get("width", 1)), float(settings.get("bias", 0))

    def layer(units, **more):
        units = round(factor * units)
        if settings["layer"] == "GRU":
            return keras.layers.GRU(units, bias_initializer=GRUBias(bias), **more)
        return ka.AddGRU(
            units,
            activation=settings.get("activation", "relu"),
            state_max=float(settings["max"]) if "max" in settings else None,
            bias_initializer=ka.layers.GateBias(bias),
            scale_inputs=False,  # as the recorded runs
            **more,
        )

    return recurrent_stack.build(layer, normalized="norm" in settings)


def fit_image(image):
    """Scales `uint8 [height, width, 1]`, ink dark, into `[32, 128, 1]`, 1 for black ink."""
    import tensorflow as tf

    ink = 1.0 - image / 255.0
    scale = min(HEIGHT / ink.shape[0], WIDTH / ink.shape[1])
    height, width = (max(round(scale * side), 1) for side in ink.shape[:2])
    ink = tf.image.resize(ink, (height, width), antialias=True)
    return tf.image.pad_to_bounding_box(ink, (HEIGHT - height) // 2, 0, HEIGHT, WIDTH).numpy()


@functools.lru_cache(maxsize=1)
def load(data, data_dir):
    """Images `[N, 32, 128, 1]` and texts, to train on, then to validate with.

    The demonstration makes them where they are not there yet, which takes a minute or two.
    """
    import tensorflow_datasets as tfds

    (settings, *_) = (each for each in handwriting.plan() if each["data"] == data)
    output = handwriting.output(settings)
    if not list(output.rglob("dataset_info.json")):
        handwriting.demonstrate(
            {**settings, "epochs_at_most": 1}, ["AddGRU"], types.SimpleNamespace(data_dir=data_dir)
        )
    (info,) = output.rglob("dataset_info.json")
    builder = tfds.builder_from_directory(info.parent)
    found = []
    for split in ("train", "validation"):
        words = list(tfds.as_numpy(builder.as_dataset(split=split)))
        images = np.stack([fit_image(word["image"]) for word in words])
        found.append((images, [word["text"].decode() for word in words]))
    return found


def network(classes, part, width=WIDTH):
    """Convolutions over the image, the recurrent part along it, the classes of each step."""
    image = x = keras.Input((HEIGHT, width, 1))
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Permute((2, 1, 3))(x)  # columns become steps, left to right
    x = layers.Reshape((width // 4, HEIGHT // 4 * FILTERS[-1]))(x)
    x = layers.Dropout(0.2)(layers.Dense(64, activation="relu")(x))
    return keras.Model(image, layers.Dense(classes)(part(x)))


def encode(texts, characters, steps):
    """Classes `[N, steps]`, padded with 0; 1 is what no text to train on has.

    And the places of the texts that CTC can write in so many steps: a blank is between equals.
    """
    rows = [[characters.find(character) + 2 or 1 for character in text] for text in texts]
    needed = [len(row) + sum(a == b for a, b in zip(row, row[1:], strict=False)) for row in rows]
    fits = [place for place, count in enumerate(needed) if count <= steps]
    classes = np.zeros((len(fits), steps), "int32")
    for row, place in zip(classes, fits, strict=True):
        row[: len(rows[place])] = rows[place]
    return classes, fits


def read(model, images, characters):
    """The texts that a trained network reads, by greedy decoding."""
    logits = model.predict(images, verbose=0)
    lengths = np.full(len(logits), logits.shape[1], "int32")
    (decoded,), _ = keras.ops.ctc_decode(logits, lengths, strategy="greedy", mask_index=0)
    symbols = ["", "\N{REPLACEMENT CHARACTER}", *characters]
    return ["".join(symbols[c] for c in row if c > 0) for row in np.asarray(decoded)]


def run(settings, options, keep):
    """The losses after each epoch, and the character error rate on the validation images."""
    import jiwer

    machine.use_threads(1)
    variant, epochs = settings_of(settings["variant"]), settings["epochs"]
    (images, texts), (test, test_texts) = load(settings["data"], options.data_dir)
    keras.utils.set_random_seed(settings["seed"])
    characters = "".join(sorted(set("".join(texts))))
    model = network(len(characters) + 2, recurrent(variant))
    rate = float(variant.get("rate", LEARNING_RATE))
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs)
    falling = keras.callbacks.LearningRateScheduler(lambda epoch: float(schedule(epoch)))
    adam = keras.optimizers.Adam(rate, clipnorm=1.0)
    model.compile(adam, loss=keras.losses.CTC(), auto_scale_loss=False)
    classes, fits = encode(texts, characters, WIDTH // 4)
    test_classes, test_fits = encode(test_texts, characters, WIDTH // 4)
    begin = time.process_time()
    history = model.fit(
        images[fits],
        classes,
        batch_size=BATCH,
        validation_data=(test[test_fits], test_classes),
        epochs=epochs,
        verbose=0,
        callbacks=[falling] if "falling" in variant else [],
    ).history
    seconds = time.process_time() - begin
    cer = jiwer.cer(test_texts, read(model, test, characters))
    found = {name: history[name] for name in ("loss", "val_loss")}
    keep(settings, {**found, "cer": cer, "processor_seconds": seconds})


def tables(known):
    rows = []
    for line in known.values():
        data, epochs, variant = (line["settings"][name] for name in ("data", "epochs", "variant"))
        cer, losses = handwriting.percent(line["result"]["cer"]), handwriting.losses(line["result"])
        rows.append((data, epochs, variant, cer, losses))
    rows.sort(key=lambda row: row[:2])
    columns = ("words", "epochs", "recurrent part", "validation CER")
    columns += ("validation loss after each epoch",)
    return {"handwriting_search": markdown.table(columns, rows)}


EXPERIMENT = Experiment(__doc__, "handwriting_search", plan, run, tables)

if __name__ == "__main__":
    EXPERIMENT.main()
