"""The next character of a text, and the library that a sentence documents."""

import functools
import math
import pydoc_data.topics

import keras
import numpy as np

from benchmarks._tasks import sentences
from benchmarks._tasks.learning import classify, learn

LENGTH = 100  # characters of a sequence


def characters(make, seed):
    """Bits per character on the last tenth of the text."""
    train, test, kinds = character_sequences()
    layers = [
        keras.Input((LENGTH,), dtype="int32"),
        keras.layers.Embedding(kinds, 64),
        make(256, return_sequences=True),
        keras.layers.Dense(kinds),
    ]
    model = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(2e-3), loss)

    def error():
        return model.evaluate(*test, batch_size=100, verbose=0) / math.log(2)

    return learn(model, *train, error=error, epochs=5, batch_size=32)


@functools.cache
def character_sequences():
    """Python's help texts, cut into sequences, to train on, then the last tenth to test with.

    Returns:
        Twice a tuple of `int32 [count, 100]` and the same one character later; and how many
        characters there are.
    """
    text = "\n".join(topic for _, topic in sorted(pydoc_data.topics.topics.items()))
    names, codes = np.unique(list(text), return_inverse=True)
    count = (len(codes) - 1) // LENGTH
    x, y = (
        codes[first : first + count * LENGTH].reshape(count, LENGTH).astype("int32")
        for first in (0, 1)
    )
    end = round(0.9 * count)
    return (x[:end], y[:end]), (x[end:], y[end:]), len(names)


def text_classification(make, seed):
    train, test = _sentences()
    layers = [
        keras.Input((sentences.LONGEST,), dtype="int32"),
        keras.layers.Embedding(sentences.VOCABULARY + 2, 32, mask_zero=True),
        keras.layers.Bidirectional(make(32)),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(len(sentences.LIBRARIES), activation="softmax"),
    ]
    return classify(keras.Sequential(layers), train, test, epochs=3, batch_size=64)


_sentences = functools.cache(sentences.load)
