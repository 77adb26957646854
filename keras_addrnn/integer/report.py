"""`keras-addrnn quantize`: from a saved Keras model to an integer model's file, and the change."""

import os
import zipfile
import zlib

import numpy as np

from keras_addrnn.integer.quantizer import quantize

_AS_EXPECTED = "Write it with np.savez(path, x=sequences), or with y=labels too."


def quantize_file(model_path, output, data_path, **settings):
    """Quantizes a saved model, writes the integer model, and returns lines to print.

    Args:
        model_path: A `.keras` file.
        output: The file to write.
        data_path: A `.npz` file with representative data `x` `[N, T, D]` and, if accuracy shall be
            told, integer labels `y` of the shape of the model's classes.
        **settings: Of `quantize`.

    Raises:
        OSError: A file cannot be read or written.
        ValueError: A file is not what it should be, or the model has no integer form.
    """
    import keras

    x, y = read_data(data_path)
    model = keras.saving.load_model(model_path)
    integers = quantize(model, x, **settings)
    integers.save(output)
    size, weights = os.path.getsize(output), 4 * model.count_params()
    lines = [
        f"{output}: {size / 1000:.1f} kB, {100 * size / weights:.0f} % of the float weights' "
        f"{weights / 1000:.1f} kB"
    ]
    if y is not None:
        answers = {"float": model.predict(x, verbose=0), "integer": integers.predict(x)}
        for name, answer in answers.items():
            classes = answer.argmax(-1)
            if answer.shape[-1] < 2 or classes.shape != y.shape:
                raise ValueError(
                    f"'{output}' is written, but labels `y` of the shape {y.shape} do not fit "
                    f"answers of the shape {answer.shape}: there is no accuracy to tell."
                )
            lines.append(f"accuracy, {name:8} {100 * (classes == y).mean():.2f} %")
    return lines


def read_data(path):
    """The arrays `x` and `y` of an `.npz` file; None for `y` if there is none."""
    try:
        with np.load(path) as file:
            found = {name: file[name] for name in ("x", "y") if name in file}
    except (AttributeError, EOFError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as e:
        raise ValueError(f"'{path}' is not an .npz file of arrays. {_AS_EXPECTED}") from e
    if "x" not in found:
        raise ValueError(f"'{path}' holds no array `x`. {_AS_EXPECTED}")
    y = found.get("y")
    if y is not None and y.dtype.kind not in "iu":
        raise ValueError(f"'{path}' must hold integers as labels `y`. Received: dtype={y.dtype}")
    return found["x"], y
