"""Words read with CTC, in the network of benchmarks/handwriting_search, but plain."""

import contextlib
import fcntl
import functools

import keras
import numpy as np
import tensorflow as tf

from benchmarks import handwriting, handwriting_search
from benchmarks._tasks import digits, recurrent_stack
from benchmarks._tasks.learning import learn

LONGEST = 3  # digits of a number
WIDTH = 64  # pixels, of its image
MARGIN = 4  # of each digit, empty


def handwriting_digits(make, seed):
    return _read(make, *digit_words(), epochs=10)


def handwriting_fonts(make, seed):
    with _alone():
        train, test = handwriting_search.load("fonts", None)
    return _read(make, train, test, epochs=9)


def _read(make, train, test, epochs):
    """The character error rate, of greedy decoding."""
    import jiwer

    (images, texts), (test_images, test_texts) = train, test
    characters = "".join(sorted(set("".join(texts))))
    width = images.shape[2]
    steps = width // 4
    part = recurrent_stack.build(make, normalized=False, steps=steps)
    model = handwriting_search.network(len(characters) + 2, part, width)
    model.compile(keras.optimizers.Adam(1e-3), _ctc)
    classes, fits = handwriting_search.encode(texts, characters, steps)

    def error():
        return jiwer.cer(test_texts, handwriting_search.read(model, test_images, characters))

    return learn(model, images[fits], classes, error=error, epochs=epochs, batch_size=32)


def _ctc(classes, logits):
    """`keras.losses.CTC`, by TensorFlow's one operator for it: training takes half the time."""
    losses = tf.nn.ctc_loss(
        labels=tf.sparse.from_dense(tf.cast(classes, tf.int32)),
        logits=logits,
        label_length=None,
        logit_length=tf.fill(tf.shape(logits)[:1], tf.shape(logits)[1]),
        logits_time_major=False,
        blank_index=0,
    )
    return tf.reduce_mean(losses)


@functools.cache
def digit_words(count=4000, test_count=400):
    """Numbers of one to three digits, to train on, then of other digits to test with.

    Returns:
        Twice a tuple of images `float32 [count, 32, 64, 1]`, 1 for ink, and texts.
    """
    x, y, x_test, y_test = digits.load()
    rng = np.random.default_rng(0)
    return _composed(x, y, count, rng), _composed(x_test, y_test, test_count, rng)


def _composed(images, labels, count, rng):
    height = handwriting_search.HEIGHT
    images = images[:, :, MARGIN:-MARGIN]
    words, texts = np.zeros((count, height, WIDTH, 1), "float32"), []
    for word in words:
        chosen = rng.integers(0, len(labels), rng.integers(1, LONGEST + 1))
        left = 0
        for image in images[chosen]:
            top, side = rng.integers(0, height - len(image) + 1), image.shape[1]
            part = word[top : top + len(image), left : left + side, 0]
            np.maximum(part, image / np.float32(255), out=part)
            left += rng.integers(16, 23)  # at most 44 for the last, and it is 20 wide
        texts.append("".join(map(str, labels[chosen])))
    return words, texts


@contextlib.contextmanager
def _alone():
    """One process at a time: two would make the same files."""
    handwriting.BUILD.mkdir(parents=True, exist_ok=True)
    with open(handwriting.BUILD / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
