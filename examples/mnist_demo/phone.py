"""From a trained Keras model to a phone: LiteRT files and integers, run digit by digit."""

import dataclasses
import statistics
import time

import numpy as np

import addrnn
import keras_addrnn as ka
from mnist_demo.training import OURS

CALIBRATION = 500  # digits of the training data, from which the scales are taken


@dataclasses.dataclass(frozen=True)
class Answers:
    """How a file answers: beside Keras on the same digits, and beside the labels."""

    same_class: float
    accuracy: float
    seconds_per_digit: float


def convert(models, folder):
    """Writes the models, a dict by name, as `.tflite`: our layers in both forms, the others in one.

    Returns:
        Dict from the name and the form to the content of the file, or to why there is none, `str`.
    """
    files = {}
    for name, model in models.items():
        if not any(isinstance(layer, tuple(OURS.values())) for layer in model.layers):
            files[name] = ka.lite.convert(model, folder / f"{model.name}.tflite")
            continue
        for ops in ("builtin", "fused"):
            path = folder / f"{model.name}_{ops}.tflite"
            try:
                files[f"{name}, {ops}"] = ka.lite.convert(model, path, ops=ops)
            except ValueError as error:  # there is no compiled op, or no operator for the layer
                files[f"{name}, {ops}"] = str(error)
    return files


def integers(model, images, path):
    """Writes a model in integers; returns a function from a digit to the answer."""
    ka.quantization.quantize(model, images[:CALIBRATION]).save(path)
    quantized = addrnn.load(path)
    return lambda digit: quantized.run(quantized.inputs.quantize(digit[np.newaxis]))[0]


def compare(functions, images, labels, expected):
    """Runs functions, in turn, on one digit after the other.

    Args:
        functions: Dict by name, from a digit `[28, 28]` to the answer `[10]`.
        images: `float32 [N, 28, 28]`.
        labels: `[N]`.
        expected: Dict by name of Keras' answers `[N, 10]`.

    Returns:
        Dict of an `Answers` for each name.
    """
    classes = {name: [] for name in functions}
    seconds = {name: [] for name in functions}
    for image in images:
        for name, function in functions.items():
            begin = time.perf_counter()
            answer = function(image)
            seconds[name].append(time.perf_counter() - begin)
            classes[name].append(answer.argmax())
    return {
        name: Answers(
            same_class=float((classes[name] == expected[name].argmax(-1)).mean()),
            accuracy=float((classes[name] == labels).mean()),
            seconds_per_digit=statistics.median(seconds[name]),
        )
        for name in functions
    }
