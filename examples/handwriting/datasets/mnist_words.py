"""`mnist_words`: numbers of 1 to 8 handwritten digits, composed of MNIST's."""

import numpy as np
import tensorflow_datasets as tfds

from handwriting.datasets import drawing, words

LONGEST = 8
# The last digits of MNIST's training images are kept for validation; the test images are by people
# who wrote none of the training images.
VALIDATION_SHARE = 12


class MnistWords(tfds.core.GeneratorBasedBuilder):
    """Numbers composed of MNIST's digits, each by another hand."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return words.info(
            self,
            "Numbers of 1 to 8 digits. Each digit is one that somebody wrote (MNIST); their "
            "size, slant, spacing and paper are drawn at random. No person wrote a whole number.",
            homepage="http://yann.lecun.com/exdb/mnist/",
            citation="""@article{lecun1998gradient,
  title={Gradient-based learning applied to document recognition},
  author={LeCun, Yann and Bottou, L{\\'e}on and Bengio, Yoshua and Haffner, Patrick},
  journal={Proceedings of the IEEE}, volume={86}, number={11}, pages={2278--2324}, year={1998}
}""",
        )

    def _split_generators(self, dl_manager):
        digits = getattr(self.builder_config, "digits", None)
        if digits is None:
            raise words.DataError(
                "mnist_words has no digits to compose. Give the builder "
                "config=words.config(images=10_000, seed=0, digits=digits.load())."
            )
        if len(digits.y_train) < 2 or len(digits.y_test) < 1:
            raise words.DataError(
                f"{digits.source}: expected two digits or more to train on and one or more to "
                f"test, got {len(digits.y_train)} and {len(digits.y_test)}"
            )
        kept = max(1, len(digits.y_train) // VALIDATION_SHARE)
        sources = {
            "train": (digits.x_train[:-kept], digits.y_train[:-kept]),
            "validation": (digits.x_train[-kept:], digits.y_train[-kept:]),
            "test": (digits.x_test, digits.y_test),
        }
        return {
            split: self._generate_examples(split, *sources[split], count)
            for split, count in self.builder_config.counts().items()
        }

    def _generate_examples(self, split, images, labels, count):
        for number in range(count):
            generator = self.builder_config.generator(split, number)
            chosen = generator.integers(0, len(labels), generator.integers(1, LONGEST + 1))
            text = "".join(str(label) for label in labels[chosen])
            yield number, {"image": compose(images[chosen], generator), "text": text}


def compose(digits, generator):
    """A number as an image, `uint8 [height, width, 1]`, of its digits.

    Args:
        digits: `uint8 [count, 28, 28]`, ink 255.
        generator: `np.random.Generator`.
    """
    slope = generator.normal(0, 0.2)
    gap = generator.uniform(-1.0, 5.0)
    placed, right = [], 0.0
    for digit in digits:
        ink = drawing.cropped(drawing.slanted(digit / np.float32(255), slope))
        scale = generator.uniform(0.8, 1.15)
        size = [max(2, round(scale * length)) for length in ink.shape]
        ink = drawing.resized(ink, *size)
        left = max(0, round(right + gap + generator.normal(0, 0.7))) if placed else 0
        bottom = round(generator.normal(0, 1.2))
        placed.append((left, bottom, ink))
        right = left + ink.shape[1]
    lowest = min(bottom - ink.shape[0] for _, bottom, ink in placed)
    highest = max(bottom for _, bottom, _ in placed)
    number = np.zeros((highest - lowest, max(left + ink.shape[1] for left, _, ink in placed)))
    for left, bottom, ink in placed:
        top = bottom - ink.shape[0] - lowest
        part = number[top : top + ink.shape[0], left : left + ink.shape[1]]
        np.maximum(part, ink, out=part)
    return drawing.on_paper(np.pad(number, generator.integers(1, 5)), generator)
