"""From the trained Keras model to LiteRT: saved, loaded back, converted, run."""

import dataclasses
import statistics
import time

import ai_edge_litert.interpreter
import keras
import numpy as np

from keras_addrnn.files import replacing


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How LiteRT's answers compare with Keras' on the same digits."""

    max_difference: float
    same_class: float
    accuracy: float
    seconds_per_digit: float


def save_and_load(model, path):
    """Saves the model as `.keras` and returns what Keras loads from that file."""
    with replacing(path) as temporary:
        model.save(temporary)
    return keras.models.load_model(path)


def compare(content, images, labels, expected):
    """Runs a converted model on one digit after the other, on one thread.

    Args:
        content: the LiteRT file, `bytes`.
        images: `float32 [N, 28, 28]`.
        labels: `[N]`.
        expected: what Keras answers, `[N, 10]`.

    Returns:
        An `Agreement`.
    """
    answers, seconds = _run(content, images)
    classes = answers.argmax(-1)
    return Agreement(
        max_difference=float(np.abs(answers - expected).max()),
        same_class=float((classes == expected.argmax(-1)).mean()),
        accuracy=float((classes == labels).mean()),
        seconds_per_digit=statistics.median(seconds),
    )


def _run(content, images):
    interpreter = ai_edge_litert.interpreter.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    input_index = interpreter.get_input_details()[0]["index"]
    output_index = interpreter.get_output_details()[0]["index"]
    answers, seconds = [], []
    for image in images:
        interpreter.set_tensor(input_index, image[np.newaxis])
        begin = time.perf_counter()
        interpreter.invoke()
        seconds.append(time.perf_counter() - begin)
        answers.append(interpreter.get_tensor(output_index)[0])
    return np.stack(answers), seconds
