"""`keras-addrnn quantize`: from a Keras model to an integer model's file, and what changes."""

import os
from typing import Any

from keras_addrnn.quantization import quantize


def quantize_to_file(
    model: Any, path: str, x: Any = None, labels: Any = None, **settings: Any
) -> list[str]:
    """Quantizes a model, writes the integer model, and returns lines to print.

    With labels, integers of the shape of the model's classes, the lines tell both accuracies. The
    settings are those of `quantize`.
    """
    if labels is not None and labels.dtype.kind not in "iu":
        raise ValueError(
            f"Labels 'y' must be integers. Received: dtype={labels.dtype}. Write them as integers, "
            "or leave them out."
        )
    integers = quantize(model, x, **settings)
    integers.save(path)
    size, weights = os.path.getsize(path), 4 * model.count_params()
    lines = [
        f"{path}: {size / 1000:.1f} kB, {100 * size / weights:.0f} % of the float weights' "
        f"{weights / 1000:.1f} kB"
    ]
    if labels is None:
        return lines
    answers = {"float": model.predict(x, verbose=0), "integer": integers.predict(x)}
    for name, answer in answers.items():
        classes = answer.argmax(-1)
        if answer.shape[-1] < 2 or classes.shape != labels.shape:
            raise ValueError(
                f"'{path}' is written, but no accuracy can be told: labels 'y' of the shape "
                f"{labels.shape} do not fit answers of the shape {answer.shape}. Give one integer "
                "for each answer."
            )
        lines.append(f"accuracy, {name:8} {100 * (classes == labels).mean():.2f} %")
    return lines
