"""From images and texts to batches, and from classes back to texts."""

import numpy as np
import pytest
import tensorflow as tf
from handwriting import pipeline


@pytest.fixture
def alphabet():
    return pipeline.Alphabet(["bade", "ac", "é"])


def test_alphabet(alphabet):
    assert alphabet.characters == ["a", "b", "c", "d", "e", "é"]
    assert alphabet.size == 8
    # 0 is the blank, 1 what the training texts do not have.
    assert alphabet.encode("bézA`a").numpy().tolist() == [3, 7, 1, 1, 1, 2]
    assert alphabet.encode("").numpy().tolist() == []


def test_alphabet_and_back(alphabet):
    classes = [[3, 7, 2, 0, 0], [2, -1, -1, -1, -1], [0, 0, 0, 0, 0], [1, 2, 0, 0, 0]]
    assert alphabet.decode(np.array(classes)) == ["béa", "a", "", "\N{REPLACEMENT CHARACTER}a"]


@pytest.mark.parametrize(
    ("height", "width", "inner"),
    [
        (32, 128, (32, 128)),
        (64, 128, (32, 64)),  # high: as high as the result, and narrower
        (10, 100, (13, 128)),  # long: as long as the result, and lower
        (16, 64, (32, 128)),
        (1, 1, (32, 32)),
        (400, 3, (32, 1)),  # a hair's breadth stays a pixel
        (3, 1000, (1, 128)),
    ],
)
def test_images_keep_their_proportions(height, width, inner):
    black = np.zeros((height, width, 1), np.uint8)
    ink = pipeline.fit_image(black).numpy()
    assert ink.shape == (32, 128, 1) and ink.dtype == np.float32
    rows, columns = np.flatnonzero(ink.any((1, 2))), np.flatnonzero(ink.any((0, 2)))
    assert abs(len(rows) - inner[0]) <= 1 and len(columns) == inner[1]
    # From the left, halfway between above and below, paper elsewhere.
    assert columns[0] == 0
    assert abs(rows[0] - (31 - rows[-1])) <= 1
    np.testing.assert_allclose(ink[rows[0] : rows[-1] + 1, : len(columns)], 1, atol=1e-5)


def test_white_paper_is_zero():
    assert not pipeline.fit_image(np.full((20, 50, 1), 255, np.uint8)).numpy().any()


@pytest.mark.parametrize(("classes", "steps"), [([], 0), ([5], 1), ([5, 5, 5], 5), ([2, 3, 2], 3)])
def test_steps_needed(classes, steps):
    assert int(pipeline.steps_needed(tf.constant(classes, tf.int32))) == steps


def dataset_of(texts):
    images = [np.full((8, 8 + n, 1), 100, np.uint8) for n in range(len(texts))]
    return tf.data.Dataset.from_generator(
        lambda: ({"image": i, "text": t} for i, t in zip(images, texts, strict=True)),
        output_signature={
            "image": tf.TensorSpec((None, None, 1), tf.uint8),
            "text": tf.TensorSpec((), tf.string),
        },
    ).apply(tf.data.experimental.assert_cardinality(len(texts)))


def test_batches_leave_out_what_ctc_cannot_say(alphabet):
    texts = ["ab", "a" * 17, "ab" * 16, "a" * 16, "ab" * 17]  # 2, 33, 32, 31, 34 steps
    (batch,) = pipeline.batches(dataset_of(texts), alphabet)
    images, classes = batch
    assert images.shape == (3, 32, 128, 1)
    assert alphabet.decode(classes.numpy()) == ["ab", "ab" * 16, "a" * 16]
    assert classes.shape == (3, 32)


def test_batches_are_shuffled_anew_and_alike_for_one_seed(alphabet):
    texts = ["a" * (1 + n % 8) + "b" * (n // 8) for n in range(64)]

    def orders(seed):
        batches = pipeline.batches(dataset_of(texts), alphabet, shuffle_seed=seed)
        return [[alphabet.decode(c.numpy()) for _, c in batches] for _ in range(2)]

    first, second = orders(0)
    assert first != second
    assert sorted(first[0]) == sorted(second[0]) == sorted(texts)
    tf.random.set_seed(7)  # whatever was trained before
    assert [first, second] == orders(0) != orders(1)


def test_arrays_and_texts():
    data = dataset_of(["ab", "c"])
    images, texts = pipeline.arrays(data)
    assert images.shape == (2, 32, 128, 1)
    assert texts == pipeline.texts(data) == ["ab", "c"]
