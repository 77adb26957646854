"""What the builders of word images share: their features, and how they are made from a seed."""

import dataclasses
import zlib

import numpy as np
import tensorflow_datasets as tfds
from common.digits import DataError as DataError

SPLITS = ("train", "validation", "test")


@dataclasses.dataclass(kw_only=True)
class WordsConfig(tfds.core.BuilderConfig):
    """How many images to make, and from what.

    Attributes:
        images: Positive integer, the images to train on; there are a tenth as many, and at least
            one, to validate with, and as many to test with.
        seed: Integer of at least 0. The same seed gives the same images.
        digits: `common.digits.Digits` to compose, where it takes any.
    """

    images: int = 10_000
    seed: int = 0
    digits: object = None

    def counts(self):
        """Dict from the split to its number of images."""
        fewer = max(1, self.images // 10)
        return {"train": self.images, "validation": fewer, "test": fewer}

    def generator(self, split, number):
        """The random numbers of one image, whatever other images there are."""
        key = SPLITS.index(split)
        return np.random.Generator(np.random.PCG64([self.seed, key, number]))


def config(images, seed, digits=None):
    """A `WordsConfig` whose name tells one set of images from any other."""
    name, about = f"images{images}_seed{seed}", f"{images} images to train on, seed {seed}"
    if digits is not None:
        checksum = 0
        for array in (digits.x_train, digits.y_train, digits.x_test, digits.y_test):
            checksum = zlib.crc32(np.ascontiguousarray(array), checksum)
        name, about = f"{name}_digits{checksum:08x}", f"{about}, of {digits.source}"
    return WordsConfig(name=name, description=about, images=images, seed=seed, digits=digits)


def split_of(text):
    """The split of a text, by itself alone: 90 % are to train on, 5 % to validate with."""
    return {0: "test", 1: "validation"}.get(zlib.crc32(text.encode()) % 20, "train")


def info(builder, description, *, homepage, citation, extra=()):
    """The `DatasetInfo`: dark ink on white paper, the text as it is read, where it is from.

    Args:
        builder: The builder.
        description: What the images are.
        homepage: Address of their source.
        citation: BibTeX of their source.
        extra: Names of further features, which are texts.
    """
    return tfds.core.DatasetInfo(
        builder=builder,
        description=description,
        features=tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(None, None, 1), encoding_format="png"),
                "text": tfds.features.Text(),
                **{name: tfds.features.Text() for name in extra},
            }
        ),
        supervised_keys=("image", "text"),
        homepage=homepage,
        citation=citation,
    )
