"""Error rates of a trained network in Keras and in LiteRT, sizes, times."""

import statistics
import time

import keras
import numpy as np
import tensorflow as tf
from common import litert
from common.epoch_times import per_epoch

import keras_addrnn as ka
from handwriting import model, pipeline
from handwriting.reading import decode, error_rates

HISTORY = ("loss", "val_loss", "seconds", "processor_seconds")  # of each epoch


def evaluate(run, images, texts, alphabet):
    """Reads the test images with a trained network, in Keras and in LiteRT.

    Writes `model_FORM.tflite` beside the model: of AddGRU two forms (the fused one where the op is
    there), of other layers one.

    Args:
        run: `training.Run`.
        images: `float32 [N, 32, 128, 1]`.
        texts: List of what they read.
        alphabet: `pipeline.Alphabet`.

    Returns:
        What was read (greedily), and a dict that JSON can hold; rates are fractions.
    """
    logits = run.model.predict(images, verbose=0)
    read = decode(logits, alphabet)
    result = {
        "layer": run.kind,
        "parameters": run.model.count_params(),
        "recurrent_parameters": run.model.get_layer("recurrent").count_params(),
        "epochs": len(run.history["loss"]),
        "seconds_per_epoch": per_epoch(run.history["seconds"]),
        "processor_seconds_per_epoch": per_epoch(run.history["processor_seconds"]),
        **{name: run.history[name] for name in HISTORY},
        "greedy": error_rates(texts, read),
        "beam": error_rates(texts, decode(logits, alphabet, "beam_search")),
        "litert": {},
    }
    fused = run.kind == "AddGRU" and ka.info()["why_not"] is None
    for form in ("builtin", "fused") if fused else ("builtin",):
        content = ka.lite.convert(run.model, run.directory / f"model_{form}.tflite", ops=form)
        function, answers, milliseconds = litert.function(content), [], []
        for image in images:
            begin = time.perf_counter()
            answers.append(function(image))
            milliseconds.append(1e3 * (time.perf_counter() - begin))
        result["litert"][form] = {
            "bytes": len(content),
            "milliseconds": statistics.median(milliseconds),
            **error_rates(texts, decode(np.stack(answers), alphabet)),
            "largest_difference": float(np.abs(answers - logits).max() / np.abs(logits).max()),
        }
    return read, result


def recurrent_milliseconds(kinds, rounds=15):
    """Times the recurrent part of a training step, forward and backward, layers in turn.

    Args:
        kinds: Names of layers.
        rounds: How often each is measured.

    Returns:
        Dict from the layer to the median of a batch, in milliseconds.
    """
    shape = (pipeline.BATCH_SIZE, pipeline.STEPS, model.FEATURES)
    steps = keras.random.normal(shape, seed=0)

    @tf.function  # traced once for each part
    def gradients(part):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(part(steps, training=True))
        return tape.gradient(loss, part.trainable_variables)

    parts = {kind: model.recurrent(model.LAYERS[kind]) for kind in kinds}
    milliseconds = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, part in parts.items():
            gradients(part)  # with the caches as the layer before has left them
            begin = time.perf_counter()
            gradients(part)
            milliseconds[kind].append(1e3 * (time.perf_counter() - begin))
    return {kind: statistics.median(times) for kind, times in milliseconds.items()}
