"""The trained network in LiteRT: converted, run image by image, read outside of the file."""

import statistics
import time

import numpy as np

import addrnn.lite
import keras_addrnn as ka


def convert(run):
    """Writes a trained network, a `training.Run`, as `model_FORM.tflite` beside it.

    Returns:
        Dict from the form to the file's content: of AddGRU's two forms (the fused one where the op
        is there), of other layers one.
    """
    forms = ["builtin"]
    if run.kind == "AddGRU" and ka.info()["why_not"] is None:
        forms.append("fused")
    return {
        form: ka.lite.convert(run.model, run.directory / f"model_{form}.tflite", ops=form)
        for form in forms
    }


def run(content, images):
    """Runs a file on one image after the other, on one thread.

    Args:
        content: The file, `bytes`.
        images: `float32 [N, 32, 128, 1]`.

    Returns:
        The logits `[N, steps, C]`, and the median time of an image in milliseconds.
    """
    interpreter = addrnn.lite.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    input_index = interpreter.get_input_details()[0]["index"]
    output_index = interpreter.get_output_details()[0]["index"]
    logits, milliseconds = [], []
    for image in images:
        interpreter.set_tensor(input_index, image[np.newaxis])
        begin = time.perf_counter()
        interpreter.invoke()
        milliseconds.append(1e3 * (time.perf_counter() - begin))
        logits.append(interpreter.get_tensor(output_index)[0])
    return np.stack(logits), statistics.median(milliseconds)
