"""Trains digits.safetensors: UCI's handwritten digits, read in columns, for encryption.

An encrypted model costs its look-ups, and a look-up costs more the more values a sum can take. So
the network has few units, two steps, and inputs of 2 bits, and no sum reads a state. Its training
bounds the sums to a few bits. A step reads half of the picture.

360 digits, drawn with a fixed seed, are for testing alone, and choose no setting. It runs where
TensorFlow is (`make setup`):

    .venv/bin/python examples/encrypted_digits/train.py
"""

import argparse
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pixels
from scipy import ndimage

import keras_addrnn as ka

MODEL = pathlib.Path(__file__).with_name("digits.safetensors")
RATE = 4e-3  # of Adam; falls to 0 in each training
WEIGHT_BITS = 4
INPUT_BITS = 2
FEATURES = 32  # pixels that a step reads
WIDER_BITS = 2.5  # additional bits of the sums, when the narrowing begins
NARROWING = 0.5  # the fraction of the quantization-aware epochs with narrowing


def narrowing(layer, epochs):
    """A callback that narrows the sums of a quantization-aware layer epoch by epoch.

    All at once, it would undo the training of a unit.
    """

    def assign(more_bits):
        layer.accumulator_span_limit.assign(2 ** (layer.accumulator_bits + more_bits) - 1)

    return keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: assign(WIDER_BITS * max(0, 1 - epoch / epochs)),
        on_train_end=lambda logs: assign(0),
    )


def load():
    """Images `[N, 8, 8]` of 0 to 1, columns first, and labels: to train on, and to test with."""
    train_images, test_images, train_labels, test_labels = pixels.split()
    images = [pixels.normalized(each, pixels.SIZE) for each in (train_images, test_images)]
    return *images, train_labels, test_labels


def varied(images, rng, copies=5):
    """The images, and copies that are turned, stretched, slanted, moved and paled a little."""
    center = np.array([3.5, 3.5])
    all_images = [images]
    for _ in range(copies):
        copy = np.empty_like(images)
        for image, new in zip(images, copy, strict=True):
            angle, slant = rng.normal(0, [0.048, 0.06])
            cosine, sine = np.cos(angle), np.sin(angle)
            matrix = np.array([[cosine, slant - sine], [sine, cosine]])
            matrix = matrix @ np.diag(rng.normal(1, 0.032, 2))
            offset = center - matrix @ center + rng.normal(0, 0.16, 2)
            ndimage.affine_transform(image, matrix, offset, output=new, order=1)
        all_images.append(np.clip(copy * rng.normal(1, 0.04, (len(copy), 1, 1)), 0, 1))
    return np.concatenate(all_images).astype("float32")


def steps(images):
    """Images as the network reads them, `[N, 64 / FEATURES, FEATURES]`."""
    return images.reshape(len(images), -1, FEATURES)


def float_model(units):
    return keras.Sequential(
        [
            keras.Input((None, FEATURES)),
            ka.MinAddGRU(units, implementation="composed"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def fit(model, images, labels, epochs, batch, callbacks=None):
    batches = epochs * -(-len(images) // batch)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, batches)),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        jit_compile=True,
        steps_per_execution=32,
    )
    model.fit(
        steps(images),
        np.eye(10)[labels],
        batch_size=batch,
        epochs=epochs,
        callbacks=callbacks,
        verbose=0,
    )


def accuracy(model, images, labels):
    return float((np.asarray(model(steps(images))).argmax(-1) == labels).mean())


def train(
    images,
    labels,
    seed,
    *,
    units=24,
    state_bits=4,
    accumulator_bits=6,
    batch=64,
    float_epochs=15,
    aware_epochs=240,
):
    """Returns the float model and the `IntegerModel`."""
    keras.utils.set_random_seed(seed)
    calibration = steps(images[:256])
    images = varied(images, np.random.default_rng(seed))
    labels = np.resize(labels, len(images))
    model = float_model(units)
    fit(model, images, labels, float_epochs, batch)
    aware = ka.quantization.quantization_aware(
        model,
        calibration,
        weight_bits=WEIGHT_BITS,
        state_bits=state_bits,
        input_bits=INPUT_BITS,
        accumulator_bits=accumulator_bits,
    )
    callbacks = [narrowing(aware.layers[1], NARROWING * aware_epochs)]
    fit(aware, images, labels, aware_epochs, batch, callbacks)
    return model, ka.quantization.quantize(aware)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, default=MODEL)
    options = parser.parse_args()
    x_train, x_test, y_train, y_test = load()
    model, integers = train(x_train, y_train, options.seed)
    integers.save(options.output)
    answers = integers.predict(steps(x_test)).argmax(-1)
    print(f"float: {accuracy(model, x_test, y_test):.2%} of {len(x_test)} digits held out")
    print(f"integers: {(answers == y_test).mean():.2%}")
    print(f"written: {options.output}")


if __name__ == "__main__":
    main()
