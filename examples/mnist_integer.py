"""From the trained Keras model to integers alone: quantised, saved, loaded, run."""

import dataclasses
import statistics
import time

import addrnn
import keras_addrnn as ka

REPRESENTATIVE = 500  # digits of the training data, from which the ranges are taken


@dataclasses.dataclass(frozen=True)
class Integers:
    """How the integer model does, and how large its file is."""

    accuracy: float
    same_class: float
    seconds_per_digit: float
    bytes: int
    bytes_of_floats: int


def quantize(model, images, path):
    """Writes an integer model of int8 weights and an int16 state; returns what its file holds."""
    ka.quantization.quantize(model, images[:REPRESENTATIVE]).save(path)
    return addrnn.load(path)


def compare(integers, path, model, images, labels):
    """Runs the integer model on one digit after the other.

    Args:
        integers: the `IntegerModel` of the file.
        path: the file.
        model: the Keras model it was made of.
        images: `float32 [N, steps, features]`.
        labels: `[N]`.

    Returns:
        An `Integers`.
    """
    inputs = integers.inputs.quantize(images)
    classes, seconds = [], []
    for digit in inputs:
        begin = time.perf_counter()
        answer = integers.run(digit[None])
        seconds.append(time.perf_counter() - begin)
        classes.append(answer[0].argmax())
    return Integers(
        accuracy=float((classes == labels).mean()),
        same_class=float((classes == model.predict(images, verbose=0).argmax(-1)).mean()),
        seconds_per_digit=statistics.median(seconds),
        bytes=path.stat().st_size,
        bytes_of_floats=4 * model.count_params(),
    )
