"""What the builders of word images share: their features, and how they are made from a seed."""

import dataclasses

import numpy as np
import tensorflow_datasets as tfds


class DataError(ValueError):
    """The images cannot be read or made; the message says what is missing or wrong, and where."""


@dataclasses.dataclass(kw_only=True)
class WordsConfig(tfds.core.BuilderConfig):
    """How many images to make, and from which seed.

    Attributes:
        images: Positive integer, the images to train on; there are a tenth as many, and at least
            one, to validate with, and as many to test with.
        seed: Integer of at least 0. The same seed gives the same images.
    """

    images: int = 10_000
    seed: int = 0

    def counts(self):
        """Dict from the split to its number of images."""
        fewer = max(1, self.images // 10)
        return {"train": self.images, "validation": fewer, "test": fewer}

    def generator(self, split, number):
        """The random numbers of one image, whatever other images there are."""
        key = ("train", "validation", "test").index(split)
        return np.random.Generator(np.random.PCG64([self.seed, key, number]))


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
