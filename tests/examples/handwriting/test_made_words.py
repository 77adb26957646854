"""The two sets that are made: of MNIST's digits, and of words in fonts."""

import collections

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("dill")  # tensorflow-datasets' test cases need it
import tensorflow_datasets as tfds  # noqa: E402
from common.digits import Digits, load  # noqa: E402
from etils import epath  # noqa: E402
from handwriting.datasets import font_words, mnist_words, words  # noqa: E402


def rows(builder, split):
    return list(tfds.as_numpy(builder.as_dataset(split=split)))


def prepared(builder):
    builder.download_and_prepare()
    return builder


def have_fonts():
    try:
        font_words.available_fonts()
        font_words.split_words()
    except words.DataError:
        return False
    return True


needs_fonts = pytest.mark.skipif(not have_fonts(), reason="Debian's fonts are not installed")


class TestMnistWords(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = mnist_words.MnistWords
    SPLITS = {"train": 30, "validation": 3, "test": 3}
    EXAMPLE_DIR = epath.Path(__file__).parent  # nothing is read from it
    # Read here: the test case forbids a builder to read files by itself.
    BUILDER_CONFIG_NAMES_TO_TEST = [words.config(images=30, seed=0, digits=load())]


@needs_fonts
class TestFontWords(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = font_words.FontWords
    SPLITS = {"train": 30, "validation": 3, "test": 3}
    EXAMPLE_DIR = epath.Path(__file__).parent
    BUILDER_CONFIG_NAMES_TO_TEST = [words.config(images=30, seed=0)]


def test_numbers_are_of_all_lengths_and_digits(tmp_path):
    config = words.config(images=300, seed=3, digits=load())
    builder = prepared(mnist_words.MnistWords(data_dir=tmp_path, config=config))
    made = rows(builder, "train")
    texts = [row["text"].decode() for row in made]
    assert {len(text) for text in texts} == set(range(1, 9))
    assert set("".join(texts)) == set("0123456789")
    for row in made:
        image = row["image"]
        assert image.dtype == np.uint8 and image.shape[2] == 1
        # Paper around, ink inside.
        assert image[0].mean() > 180 and image.min() < 140
    # Longer numbers are wider.
    widths = collections.defaultdict(list)
    for row, text in zip(made, texts, strict=True):
        widths[len(text)].append(row["image"].shape[1])
    means = [np.mean(widths[length]) for length in range(1, 9)]
    assert (np.diff(means) > 0).all()


def test_a_number_shows_its_digits_from_left_to_right():
    """Three digits, each darker than the one before."""
    shades = np.zeros((3, 28, 28), np.uint8)
    for shade, value in zip(shades, (80, 160, 255), strict=True):
        shade[4:24, 8:20] = value
    image = mnist_words.compose(shades, np.random.default_rng(0))[:, :, 0]
    middle = image[image.shape[0] // 2].astype(float)
    thirds = [part.min() for part in np.array_split(middle, 3)]
    assert thirds[0] > thirds[1] > thirds[2]


def test_splits_share_no_digits(tmp_path):
    """The digits to train on are all 1, those kept apart from them 2, those to test with 3."""
    images = np.zeros((24, 28, 28), np.uint8)
    images[:, 4:24, 8:20] = 255
    labels = np.repeat(np.array([1, 2], np.uint8), [22, 2])  # the last twelfth is kept apart
    set_of = Digits(images, labels, images[:2], np.array([3, 3], np.uint8), "a test")
    config = words.config(images=20, seed=0, digits=set_of)
    builder = prepared(mnist_words.MnistWords(data_dir=tmp_path, config=config))
    for split, digit in (("train", "1"), ("validation", "2"), ("test", "3")):
        assert {c for row in rows(builder, split) for c in row["text"].decode()} == {digit}


def test_the_same_seed_makes_the_same_images(tmp_path):
    def made(seed, folder):
        config = words.config(images=5, seed=seed, digits=load())
        return rows(
            prepared(mnist_words.MnistWords(data_dir=tmp_path / folder, config=config)), "train"
        )

    first, again, other = made(1, "a"), made(1, "b"), made(2, "c")
    for one, two in zip(first, again, strict=True):
        assert one["text"] == two["text"]
        np.testing.assert_array_equal(one["image"], two["image"])
    assert [row["text"] for row in first] != [row["text"] for row in other]


def test_other_digits_are_another_dataset():
    some = load()
    fewer = Digits(some.x_train[:-1], some.y_train[:-1], some.x_test, some.y_test, "")
    assert words.config(5, 0, some).name != words.config(5, 0, fewer).name


def test_no_digits(tmp_path):
    builder = mnist_words.MnistWords(data_dir=tmp_path)
    with pytest.raises(words.DataError, match="no digits to compose. Give the builder config="):
        builder.download_and_prepare()


@needs_fonts
def test_words_of_the_splits():
    splits = font_words.split_words()
    sizes = {split: len(texts) for split, texts in splits.items()}
    assert sizes["train"] > 15 * sizes["test"] > 1000
    together = [text for texts in splits.values() for text in texts]
    assert len(together) == len(set(together))
    assert all(text.isascii() and text.islower() and 2 <= len(text) <= 12 for text in together)


@needs_fonts
def test_words_in_fonts_are_the_same_each_time_and_in_many_fonts(tmp_path):
    def made(folder):
        config = words.config(images=60, seed=0)
        return rows(
            prepared(font_words.FontWords(data_dir=tmp_path / folder, config=config)), "train"
        )

    first, again = made("a"), made("b")
    for one, two in zip(first, again, strict=True):
        assert (one["text"], one["font"]) == (two["text"], two["font"])
        np.testing.assert_array_equal(one["image"], two["image"])
    assert len({row["font"] for row in first}) == 11
    for row in first:
        assert row["image"].min() < 140 < 180 < row["image"][0].mean()


def test_missing_fonts(monkeypatch, tmp_path):
    monkeypatch.setattr(font_words, "FONTS_DIR", epath.Path(tmp_path))
    with pytest.raises(words.DataError, match="apt-get install fonts-breip fonts-dancingscript"):
        font_words.available_fonts()


def test_missing_list_of_words(monkeypatch, tmp_path):
    monkeypatch.setattr(font_words, "WORD_LIST", epath.Path(tmp_path / "none"))
    with pytest.raises(words.DataError, match="none is missing: apt-get install wamerican"):
        font_words.split_words()
