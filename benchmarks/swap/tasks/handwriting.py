"""Words read with CTC, in the network of benchmarks/handwriting_search, but plain."""

import contextlib
import fcntl
import functools

import keras
import numpy as np

from benchmarks import handwriting, handwriting_search
from benchmarks._tasks import digits, recurrent_stack
from benchmarks.swap.learning import learn

STEPS = handwriting_search.WIDTH // 4
LONGEST = 5  # digits


def handwriting_digits(make, seed):
    def half(units, **options):
        return make(units // 2, **options)

    return _read(half, *digit_words(), epochs=6)


def handwriting_fonts(make, seed):
    with _alone():
        train, test = handwriting_search.load("fonts", None)
    return _read(make, train, test, epochs=9)


def _read(make, train, test, epochs):
    """The character error rate, of greedy decoding."""
    import jiwer

    (images, texts), (test_images, test_texts) = train, test
    characters = "".join(sorted(set("".join(texts))))
    part = recurrent_stack.build(make, normalized=False)
    model = handwriting_search.network(len(characters) + 2, part)
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.CTC())
    classes, fits = handwriting_search.encode(texts, characters, STEPS)

    def error():
        return jiwer.cer(test_texts, handwriting_search.read(model, test_images, characters))

    return learn(model, images[fits], classes, error=error, epochs=epochs, batch_size=32)


@functools.cache
def digit_words(count=3000, test_count=300):
    """Numbers of one to five digits, to train on, then of other digits to test with.

    Returns:
        Twice a tuple of images `float32 [count, 32, 128, 1]`, 1 for ink, and texts.
    """
    x, y, x_test, y_test = digits.load()
    rng = np.random.default_rng(0)
    return _composed(x, y, count, rng), _composed(x_test, y_test, test_count, rng)


def _composed(images, labels, count, rng):
    height, width = handwriting_search.HEIGHT, handwriting_search.WIDTH
    words, texts = np.zeros((count, height, width, 1), "float32"), []
    for word in words:
        chosen = rng.integers(0, len(labels), rng.integers(1, LONGEST + 1))
        left = 0
        for image in images[chosen]:
            top, side = rng.integers(0, height - len(image) + 1), image.shape[1]
            part = word[top : top + len(image), left : left + side, 0]
            np.maximum(part, image / np.float32(255), out=part)
            left += rng.integers(18, 26)  # at most 100, and a digit is 28 wide
        texts.append("".join(map(str, labels[chosen])))
    return words, texts


@contextlib.contextmanager
def _alone():
    """One process at a time: two would make the same files."""
    handwriting.BUILD.mkdir(parents=True, exist_ok=True)
    with open(handwriting.BUILD / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
