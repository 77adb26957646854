"""Trains digits.safetensors: UCI's handwritten digits, read in columns, for encryption.

An encrypted model costs its look-ups, and a look-up costs more the more values a sum can take. So
the network has few units, few steps and few recurrent weights, and inputs of 2 bits. Its training
bounds the sums to a few bits. A step reads two columns of the picture.

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
from sklearn.model_selection import train_test_split

import keras_addrnn as ka

MODEL = pathlib.Path(__file__).with_name("digits.safetensors")
RATE = 4e-3  # of Adam; falls to 0 in each training
STATE_MAX = 4.0
WEIGHT_BITS = 4
INPUT_BITS = 2
FEATURES = 16  # pixels that a step reads
WIDER_BITS = 2.5  # additional bits of the sums, when the narrowing begins
NARROWING = 0.5  # the fraction of the quantization-aware epochs with narrowing


@keras.saving.register_keras_serializable(package="encrypted_digits")
class FewInputs(keras.constraints.Constraint):
    """Keeps a few weights in each column of a recurrent kernel: its own unit's, and random ones."""

    def __init__(self, units, kept, seed=0):
        self.units, self.kept, self.seed = units, kept, seed
        rng = np.random.default_rng(seed)
        self.mask = np.tile(np.eye(units, dtype="float32"), 2)
        for column in range(2 * units):
            others = np.delete(np.arange(units), column % units)
            self.mask[rng.choice(others, min(kept, units) - 1, replace=False), column] = 1

    def __call__(self, kernel):
        return kernel * keras.ops.convert_to_tensor(self.mask, kernel.dtype)

    def get_config(self):
        return {"units": self.units, "kept": self.kept, "seed": self.seed}


class Narrowing(keras.callbacks.Callback):
    """Narrows the sums of a quantization-aware layer epoch by epoch.

    All at once, it would undo the training of a unit.
    """

    def __init__(self, layer, epochs):
        super().__init__()
        self.layer, self.epochs = layer, epochs

    def on_epoch_begin(self, epoch, logs=None):
        more_bits = WIDER_BITS * max(0, 1 - epoch / self.epochs)
        self._assign(more_bits)

    def on_train_end(self, logs=None):
        self._assign(0)

    def _assign(self, more_bits):
        self.layer.accumulator_span_limit.assign(2 ** (self.layer.accumulator_bits + more_bits) - 1)


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


def float_model(units, kept, seed):
    return keras.Sequential(
        [
            keras.Input((None, FEATURES)),
            ka.AddGRU(
                units,
                state_max=STATE_MAX,
                recurrent_constraint=FewInputs(units, kept, seed),
                implementation="composed",
            ),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def fit(model, images, labels, epochs, batch, callbacks=()):
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
        callbacks=list(callbacks),
        verbose=0,
    )


def accuracy(model, images, labels):
    return float((np.asarray(model(steps(images))).argmax(-1) == labels).mean())


def train(options, data):
    """Returns the float model and the `IntegerModel`."""
    x_train, y_train = data
    keras.utils.set_random_seed(options.seed)
    images = varied(x_train, np.random.default_rng(options.seed))
    labels = np.resize(y_train, len(images))
    model = float_model(options.units, options.recurrent_inputs, options.seed)
    fit(model, images, labels, options.float_epochs, options.batch)
    aware = ka.quantization.quantization_aware(
        model,
        steps(x_train[:256]),
        weight_bits=WEIGHT_BITS,
        state_bits=options.state_bits,
        input_bits=INPUT_BITS,
        accumulator_bits=options.accumulator_bits,
    )
    narrowing = Narrowing(aware.layers[1], NARROWING * options.aware_epochs)
    fit(aware, images, labels, options.aware_epochs, options.batch, [narrowing])
    return model, ka.quantization.quantize(aware)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--units", type=int, default=16)
    add("--recurrent-inputs", type=int, default=2, help="that each column may have")
    add("--state-bits", type=int, default=5)
    add("--accumulator-bits", type=int, default=6)
    add("--batch", type=int, default=64)
    add("--float-epochs", type=int, default=15)
    add("--aware-epochs", type=int, default=240)
    add("--seed", type=int, default=3)
    add("--validate", action="store_true", help="hold out digits of the training data instead")
    add("--output", type=pathlib.Path, help=f"{MODEL.name}, or nothing with --validate")
    options = parser.parse_args()
    x_train, x_test, y_train, y_test = load()
    if options.validate:
        x_train, x_test, y_train, y_test = train_test_split(
            x_train, y_train, test_size=240, random_state=0, stratify=y_train
        )
    model, integers = train(options, (x_train, y_train))
    output = options.output or (None if options.validate else MODEL)
    if output is not None:
        integers.save(output)
    answers = integers.predict(steps(x_test)).argmax(-1)
    print(f"float: {accuracy(model, x_test, y_test):.2%} of {len(x_test)} digits held out")
    print(f"integers: {(answers == y_test).mean():.2%}")
    print(f"written: {output or 'nothing'}")


if __name__ == "__main__":
    main()
