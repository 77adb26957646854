"""The IAM builder on a fake database; what it leaves out, and what it refuses."""

import tempfile

import numpy as np
import pytest
from etils import epath

pytest.importorskip("dill")  # tensorflow-datasets' test cases need it
import tensorflow_datasets as tfds  # noqa: E402
from handwriting.datasets import iam_words, words  # noqa: E402

from tests.examples.handwriting import fake_iam  # noqa: E402


class TestIamWords(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = iam_words.IamWords
    SPLITS = {"train": 4, "validation": 2, "test": 1}

    @classmethod
    def setUpClass(cls):
        cls._directory = tempfile.TemporaryDirectory()
        cls.EXAMPLE_DIR = fake_iam.make(epath.Path(cls._directory.name))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls._directory.cleanup()


@pytest.fixture
def directory(tmp_path):
    path = tmp_path / "iam"
    path.mkdir()
    return fake_iam.make(epath.Path(path))


def build(directory, tmp_path):
    builder = iam_words.IamWords(data_dir=tmp_path / "tfds")
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=directory))
    return {
        split: {row["id"].decode(): row for row in tfds.as_numpy(builder.as_dataset(split=split))}
        for split in ("train", "validation", "test")
    }


def test_official_splits_texts_and_images(directory, tmp_path):
    splits = build(directory, tmp_path)
    texts = {
        split: {word_id: row["text"].decode() for word_id, row in rows.items()}
        for split, rows in splits.items()
    }
    # Given as forms and as lines; neither the badly segmented word nor the damaged ones.
    assert texts == {
        "train": {
            "a01-000u-00-00": "A",
            "a01-000u-00-01": "MOVE",
            "a01-000u-01-00": "stop",
            "a01-117-05-03": "whole",
        },
        "validation": {"b02-013-00-00": "Mr. X", "c03-003a-02-07": "."},
        "test": {"r06-022-03-06": "it's"},
    }
    image = splits["validation"]["b02-013-00-00"]["image"]
    assert image.shape == (26, 48, 1) and image.dtype == np.uint8
    assert (image[5:15, 5:16] == 40).all() and (image[16:] == 250).all()


def test_without_official_splits_a_form_is_in_one_split():
    forms = [f"{letter}{n:02}-{m:03}" for letter in "abc" for n in range(10) for m in range(20)]
    chosen = [iam_words.split_of(f"{form}-00-00", None) for form in forms]
    assert chosen == [iam_words.split_of(f"{form}-07-11", None) for form in forms]
    shares = {split: chosen.count(split) / len(forms) for split in set(chosen)}
    assert abs(shares["train"] - 0.9) < 0.03
    assert abs(shares["validation"] - 0.05) < 0.03 and abs(shares["test"] - 0.05) < 0.03


def test_words_outside_of_the_official_splits_are_left_out():
    assert iam_words.split_of("z09-000-00-00", {"a01-000": "train"}) is None


def refused(message, function, *arguments):
    with pytest.raises(words.DataError, match=message) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a01-000u-00-00 ok 154 408 768 27 51 AT", "line 2: expected a word's id.*got 8 fields"),
        ("garbage", "line 2: expected a word's id.*got 1 fields: 'garbage'"),
        ("a01 ok 154 408 768 27 51 AT A", "line 2: expected an id as a01-000u-00-00, got 'a01'"),
        ("../../../etc-00-00 ok 1 2 3 4 5 AT A", "expected an id"),
        ("a01-000u-00-00 bad 154 408 768 27 51 AT A", "expected ok or err after the id, got 'bad'"),
    ],
)
def test_malformed_lines(tmp_path, line, message):
    path = epath.Path(tmp_path / "words.txt")
    path.write_text(f"# a comment\n{line}\n")
    refused(message, lambda: list(iam_words.read_words(path)))


def test_comments_and_empty_lines_anywhere(tmp_path):
    path = epath.Path(tmp_path / "words.txt")
    line = "a01-000u-00-00 ok 154 408 768 27 51 AT A"
    path.write_text(f"\n#x\n{line}\n   \n# a01-000u-00-01 ok 154 408 768 27 51 AT B\r\n\n")
    assert list(iam_words.read_words(path)) == [("a01-000u-00-00", "A")]


def test_missing_list_of_words(directory, tmp_path):
    (directory / "words.txt").unlink()
    refused("words.txt is missing: the directory must hold", build, directory, tmp_path)


def test_missing_image(directory, tmp_path):
    (directory / "words/a01/a01-000u/a01-000u-01-00.png").unlink()
    refused("u-01-00.png is missing: words.txt names it. Unpack", build, directory, tmp_path)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n cut off"])
def test_image_that_is_none(directory, tmp_path, content):
    (directory / "words/a01/a01-000u/a01-000u-01-00.png").write_bytes(content)
    refused("u-01-00.png holds no image.* Unpack words.tgz anew", build, directory, tmp_path)


def test_some_of_the_official_splits(directory):
    (directory / "testset.txt").unlink()
    refused("but not testset.txt. Add these", iam_words.official_splits, directory)


def test_official_splits_that_overlap(directory):
    (directory / "testset.txt").write_text("a01-117\n")
    message = "testset.txt puts 'a01-117' into 'test', but it is in 'train' already. Take"
    refused(message, iam_words.official_splits, directory)


def test_split_without_words(directory, tmp_path):
    (directory / "testset.txt").write_text("z09-000\n")
    refused("leaves the split 'test' without any word. Give the whole", build, directory, tmp_path)


def test_a_word_that_is_listed_twice(tmp_path):
    path = epath.Path(tmp_path / "words.txt")
    line = "a01-000u-00-00 {} 154 408 768 27 51 AT A\n"
    path.write_text(line.format("ok") + "# b\n" + line.format("err"))
    message = "line 3: a01-000u-00-00 is in line 1 already"
    refused(message, lambda: list(iam_words.read_words(path)))


def test_other_encodings(directory, tmp_path):
    path = directory / "words.txt"
    path.write_bytes(b"#\na01-000u-00-00 ok 154 408 768 27 51 AT \xe9\n")
    refused("words.txt, line 2: expected UTF-8, got the byte 0xe9", build, directory, tmp_path)
    path.write_bytes("a01-000u-00-00 ok 154 408 768 27 51 AT é".encode())
    assert list(iam_words.read_words(path)) == [("a01-000u-00-00", "é")]


def test_a_directory_is_no_list_of_words(tmp_path):
    (tmp_path / "words.txt").mkdir()
    refused("words.txt is missing", lambda: list(iam_words.read_words(tmp_path / "words.txt")))


def test_other_splits_are_another_set(directory, tmp_path):
    from handwriting import sources

    def load():
        return sources.load("iam", data_dir=directory, images=0, seed=0, directory=tmp_path / "out")

    def texts(dataset):
        return sorted(row["text"].decode() for row in tfds.as_numpy(dataset))

    official = load()
    assert official.source.endswith("the official splits")
    assert texts(official.test) == ["it's"]
    train, test = directory / "trainset.txt", directory / "testset.txt"
    train_ids, test_ids = train.read_text(), test.read_text()
    train.write_text(test_ids)
    test.write_text(train_ids)
    swapped = load()
    assert swapped.name != official.name
    assert texts(swapped.train) == ["it's"] and texts(swapped.test) == texts(official.train)
    test.unlink()
    refused("has some of the official splits' files, but not testset.txt", load)
