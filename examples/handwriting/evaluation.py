"""Error rates of a trained network in Keras and in LiteRT, sizes, times."""

import statistics
import time

import keras
import numpy as np
import tensorflow as tf

from handwriting import decoding, litert, metrics, model, pipeline

HISTORY = ("loss", "val_loss", "seconds", "processor_seconds")  # of each epoch


def evaluate(run, images, texts, alphabet):
    """Reads the test images with a trained network, in Keras and in LiteRT.

    Writes the files for LiteRT beside the model.

    Args:
        run: `training.Run`.
        images: `float32 [N, 32, 128, 1]`.
        texts: List of what they read.
        alphabet: `pipeline.Alphabet`.

    Returns:
        What was read (greedily), and a dict that JSON can hold; rates are fractions.
    """
    logits = run.model.predict(images, verbose=0)
    read = decoding.decode(logits, alphabet)
    cer, wer = metrics.error_rates(texts, read)
    beam_cer, beam_wer = metrics.error_rates(
        texts, decoding.decode(logits, alphabet, "beam_search")
    )
    result = {
        "layer": run.kind,
        "parameters": run.model.count_params(),
        "recurrent_parameters": run.model.get_layer("recurrent").count_params(),
        "epochs": len(run.history["loss"]),
        "seconds_per_epoch": run.per_epoch("seconds"),
        "processor_seconds_per_epoch": run.per_epoch("processor_seconds"),
        **{name: run.history[name] for name in HISTORY},
        "greedy": {"cer": cer, "wer": wer},
        "beam": {"cer": beam_cer, "wer": beam_wer},
        "litert": {},
    }
    for form, content in litert.convert(run).items():
        answers, milliseconds = litert.run(content, images)
        cer, wer = metrics.error_rates(texts, decoding.decode(answers, alphabet))
        result["litert"][form] = {
            "bytes": len(content),
            "milliseconds": milliseconds,
            "cer": cer,
            "wer": wer,
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
    functions = {kind: _gradients(model.recurrent(model.LAYERS[kind]), steps) for kind in kinds}
    milliseconds = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, function in functions.items():
            function()  # with the caches as the layer before has left them
            begin = time.perf_counter()
            function()
            milliseconds[kind].append(1e3 * (time.perf_counter() - begin))
    return {kind: statistics.median(times) for kind, times in milliseconds.items()}


def _gradients(part, x):
    """A function for the gradients of a built part's weights, forward pass included."""

    @tf.function
    def call():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(part(x, training=True))
        return tape.gradient(loss, part.trainable_variables)

    return call
