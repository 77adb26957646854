"""Where `--data` comes from: makes the builder, and has it prepare its dataset once."""

import contextlib
import dataclasses
import io
import logging
import zlib

import tensorflow as tf
import tensorflow_datasets as tfds
from common import digits as mnist

from handwriting import pipeline
from handwriting.datasets import font_words, iam_words, mnist_words, words


@dataclasses.dataclass(frozen=True)
class Words:
    """Images and what they read.

    Attributes:
        train, validation, test: `tf.data.Dataset`s of `image` and `text`.
        name: Of the set, another name for other images or splits; can be a directory's.
        source: A line on their origin.
    """

    train: tf.data.Dataset
    validation: tf.data.Dataset
    test: tf.data.Dataset
    name: str
    source: str

    @property
    def sizes(self):
        """The number of images in each split."""
        return [int(getattr(self, split).cardinality()) for split in words.SPLITS]

    def alphabet(self):
        """The `pipeline.Alphabet` of the texts to train on."""
        return pipeline.Alphabet(pipeline.texts(self.train))


def load(data, *, data_dir, images, seed, directory):
    """Reads a dataset, after having made it if need be.

    Args:
        data: `"digits"`, `"fonts"` or `"iam"`.
        data_dir: For digits the IDX files of MNIST (or None); for IAM words.txt and words/.
        images: How many to compose for training (digits, fonts).
        seed: Of what is composed.
        directory: `pathlib.Path`, where tensorflow-datasets keeps what is made.

    Returns:
        `Words`.

    Raises:
        DataError: If something is missing or damaged.
    """
    logging.getLogger("absl").setLevel(logging.ERROR)
    tfds.disable_progress_bar()
    download = None
    if data == "digits":
        digits = mnist.load(data_dir)
        config = words.config(images, seed, digits)
        name = f"digits_{config.name}"
        builder = mnist_words.MnistWords(config=config, data_dir=directory)
        source = f"numbers composed of digits, {digits.source}"
    elif data == "fonts":
        config = words.config(images, seed)
        name = f"fonts_{config.name}_{_checksum(font_words.WORD_LIST):08x}"
        builder = font_words.FontWords(config=config, data_dir=directory / name)
        source = "English words in fonts like handwriting, distorted"
    else:
        download = tfds.download.DownloadConfig(manual_dir=data_dir)
        files = [data_dir / file for file in ("words.txt", *iam_words.SPLIT_FILES)]
        # Before tensorflow-datasets, which refuses an empty directory in words of its own.
        iam_words.check(files[0])
        name = f"iam_{_checksum(*files):08x}"
        builder = iam_words.IamWords(data_dir=directory / name)
        splits = "the official splits" if files[1].exists() else "splits by form, not the official"
        source = f"the IAM Handwriting Database in {data_dir}, {splits}"
    with contextlib.redirect_stdout(io.StringIO()):  # it would speak of a download
        builder.download_and_prepare(download_config=download)
    splits = {
        split: builder.as_dataset(split=split, shuffle_files=False).map(
            lambda features: {"image": features["image"], "text": features["text"]}
        )
        for split in words.SPLITS
    }
    return Words(**splits, name=name, source=source)


def _checksum(*files):
    """Of what the files hold; one that is not there counts as well."""
    try:
        contents = [file.read_bytes() if file.is_file() else None for file in files]
    except OSError as error:
        raise words.DataError(f"{error.filename} cannot be read: {error.strerror}") from None
    return zlib.crc32(repr(contents).encode())
