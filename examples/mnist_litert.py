"""From the trained Keras models to LiteRT: saved, loaded back, converted, run."""

import dataclasses
import statistics
import time

import keras
import numpy as np

import addrnn.lite
import keras_addrnn as ka
from addrnn._atomic_file import replacing


@dataclasses.dataclass(frozen=True)
class File:
    """A converted model, or why it is not converted."""

    name: str
    model: keras.Model
    content: bytes | None
    why_not: str | None = None


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How LiteRT's answers compare with Keras' on the same digits."""

    max_difference: float
    same_class: float
    accuracy: float
    seconds_per_digit: float


def _stem(model):
    """What its files are called."""
    return model.name.removeprefix("mnist_")


def save(model, folder):
    """Writes the model as `.keras` and returns the file's path."""
    path = folder / f"{_stem(model)}.keras"
    with replacing(path) as temporary:
        model.save(temporary)
    return path


def convert(models, folder):
    """Writes the models, a dict by name, as `.tflite`: AddGRU in both forms, the others in one.

    Returns:
        A list of `File`.
    """
    files = []
    for name, model in models.items():
        stem = _stem(model)
        if not any(isinstance(layer, ka.AddGRU) for layer in model.layers):
            files.append(File(name, model, ka.lite.convert(model, folder / f"{stem}.tflite")))
            continue
        for ops in ("builtin", "fused"):
            content, why_not = None, None
            try:
                content = ka.lite.convert(model, folder / f"{stem}_{ops}.tflite", ops=ops)
            except ValueError as error:  # there is no compiled op
                why_not = str(error)
            files.append(File(f"{name}, {ops}", model, content, why_not))
    return files


def compare(files, images, labels):
    """Runs the files, in turn, on one digit after the other, on one thread.

    Args:
        files: list of `File`; those without content are left out.
        images: `float32 [N, steps, features]`.
        labels: `[N]`.

    Returns:
        Dict of an `Agreement` for each name.
    """
    runners = {file.name: _Runner(file.content) for file in files if file.content is not None}
    for image in images:
        for runner in runners.values():
            runner(image)
    agreements = {}
    for file in files:
        if file.name not in runners:
            continue
        answers = np.stack(runners[file.name].answers)
        expected = file.model.predict(images, verbose=0)
        classes = answers.argmax(-1)
        agreements[file.name] = Agreement(
            max_difference=float(np.abs(answers - expected).max()),
            same_class=float((classes == expected.argmax(-1)).mean()),
            accuracy=float((classes == labels).mean()),
            seconds_per_digit=statistics.median(runners[file.name].seconds),
        )
    return agreements


class _Runner:
    """A file in LiteRT; collects what it answers, and the seconds that takes."""

    def __init__(self, content):
        self.answers, self.seconds = [], []
        self._interpreter = addrnn.lite.Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def __call__(self, image):
        self._interpreter.set_tensor(self._input, image[np.newaxis])
        begin = time.perf_counter()
        self._interpreter.invoke()
        self.seconds.append(time.perf_counter() - begin)
        self.answers.append(self._interpreter.get_tensor(self._output)[0])
