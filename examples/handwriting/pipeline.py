"""From a dataset of words to batches: images of one size, and their texts as classes."""

import numpy as np
import tensorflow as tf

HEIGHT, WIDTH = 32, 128
STEPS = 32  # that the network reads an image in
BATCH_SIZE = 64


class Alphabet:
    """The characters that the network tells apart, and their classes.

    Class 0 is CTC's blank and the padding of shorter texts, class 1 any character that the texts
    to train on do not have.
    """

    def __init__(self, texts):
        self.characters = sorted(set("".join(texts)))
        self._codes = np.array([ord(character) for character in self.characters], "int32")

    @property
    def size(self):
        """Number of classes."""
        return len(self.characters) + 2

    def encode(self, text):
        """A string tensor `[]` as classes `[length]`, `int32`."""
        # By the order of the codes: a lookup table would be in the way of every conversion.
        codes = tf.strings.unicode_decode(text, "UTF-8")
        places = tf.minimum(tf.searchsorted(self._codes, codes), len(self._codes) - 1)
        return tf.where(tf.gather(self._codes, places) == codes, places + 2, 1)

    def decode(self, classes):
        """Rows of classes, padded with anything below 1, as a list of texts."""
        characters = ["", "\N{REPLACEMENT CHARACTER}", *self.characters]
        return ["".join(characters[c] for c in row if c > 0) for row in classes]


def fit_image(image):
    """Scales an image to fit `[32, 128]` and fills up with white paper, right, above and below.

    The lengths' proportion stays: a stroke is as slanted afterwards, a long word is not squeezed
    more than it is high.

    Args:
        image: `uint8 [height, width, 1]`, ink dark.

    Returns:
        `float32 [32, 128, 1]`: 0 for white paper, 1 for black ink.
    """
    ink = 1.0 - tf.cast(image, tf.float32) / 255.0
    size = tf.cast(tf.shape(ink)[:2], tf.float32)
    scaled = size * tf.reduce_min(tf.constant([HEIGHT, WIDTH], tf.float32) / size)
    # Not `preserve_aspect_ratio`, which fails where the narrower side comes to nothing.
    height, width = tf.unstack(tf.maximum(tf.cast(tf.round(scaled), tf.int32), 1))
    ink = tf.image.resize(ink, (height, width), antialias=True)
    above = (HEIGHT - height) // 2
    ink = tf.pad(ink, [[above, HEIGHT - height - above], [0, WIDTH - width], [0, 0]])
    return tf.ensure_shape(ink, (HEIGHT, WIDTH, 1))


def steps_needed(classes):
    """The steps that CTC needs for a text, `[length]`: a blank goes between two that are equal."""
    repeated = tf.math.count_nonzero(classes[1:] == classes[:-1], dtype=tf.int32)
    return tf.size(classes) + repeated


def batches(dataset, alphabet, *, shuffle_seed=None):
    """Batches of `(images [B, 32, 128, 1], classes [B, length])` to train on or to validate with.

    Texts that need more steps than the network has are left out: CTC has no finite loss for them.

    Args:
        dataset: `tf.data.Dataset` of dicts with `image` and `text`.
        alphabet: `Alphabet`.
        shuffle_seed: Seed of the order, another one in each epoch, and of TensorFlow; None for the
            dataset's own.
    """

    def fits(features):
        return steps_needed(alphabet.encode(features["text"])) <= STEPS

    def example(features):
        return fit_image(features["image"]), alphabet.encode(features["text"])

    # Counted, as a filter does not tell how many are left, and Keras wants to know.
    kept = sum(bool(fit) for fit in dataset.map(fits))
    dataset = dataset.filter(fits).apply(tf.data.experimental.assert_cardinality(kept))
    dataset = dataset.map(example, num_parallel_calls=tf.data.AUTOTUNE).cache()
    if shuffle_seed is not None:
        tf.random.set_seed(shuffle_seed)  # the order depends on both
        dataset = dataset.shuffle(20_000, seed=shuffle_seed)
    return dataset.padded_batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


def arrays(dataset):
    """All of a dataset: images `float32 [N, 32, 128, 1]`, and their texts, a list."""
    images = [fit_image(features["image"]) for features in dataset]
    return tf.stack(images).numpy(), texts(dataset)


def texts(dataset):
    """The texts of a dataset, a list."""
    return [text.numpy().decode() for text in dataset.map(lambda features: features["text"])]
