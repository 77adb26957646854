"""`font_words`: English words set in free fonts that look like handwriting, and distorted."""

import re

import numpy as np
import tensorflow_datasets as tfds
from etils import epath
from PIL import Image, ImageDraw, ImageFont

from handwriting.datasets import drawing, words

FONTS_DIR = epath.Path("/usr/share/fonts")
WORD_LIST = epath.Path("/usr/share/dict/american-english")
# Debian's package to the faces of it that are used.
FONTS = {
    "fonts-breip": ("truetype/breip/Breip.ttf",),
    "fonts-dancingscript": (
        "opentype/dancingscript/DancingScript-Regular.otf",
        "opentype/dancingscript/DancingScript-Bold.otf",
    ),
    "fonts-dkg-handwriting": (
        "truetype/fifthhorseman/dkg.ttf",
        "truetype/fifthhorseman/dkgBd.ttf",
        "truetype/fifthhorseman/dkgIt.ttf",
        "truetype/fifthhorseman/dkgBI.ttf",
    ),
    "fonts-femkeklaver": ("truetype/femkeklaver/femkeklaver.ttf",),
    "fonts-kaushanscript": ("opentype/kaushanscript/KaushanScript-Regular.otf",),
    "fonts-kristi": ("truetype/kristi/Kristi.ttf",),
    "fonts-rufscript": ("truetype/rufscript/Rufscript010.ttf",),
}
USABLE = re.compile("[a-z]{2,12}")
SIZE = 48  # of the letters, in pixels, before an image is fitted to the network


class FontWords(tfds.core.GeneratorBasedBuilder):
    """English words in fonts; no word is in two splits."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [words.config(images=10_000, seed=0)]

    def _info(self):
        return words.info(
            self,
            "English words in lower case, set in eleven faces of free fonts that look like "
            "handwriting, slanted and elastically distorted. Nobody wrote them: all letters of a "
            "face are alike but for the distortion. No word is in two splits, each face in all.",
            homepage="https://packages.debian.org/",
            citation="",
            extra=("font",),
        )

    def _split_generators(self, dl_manager):
        fonts, splits = available_fonts(), split_words()
        return {
            split: self._generate_examples(split, splits[split], fonts, count)
            for split, count in self.builder_config.counts().items()
        }

    def _generate_examples(self, split, texts, fonts, count):
        for number in range(count):
            generator = self.builder_config.generator(split, number)
            text = texts[generator.integers(len(texts))]
            font = fonts[generator.integers(len(fonts))]
            image = write(text, font, generator)
            yield number, {"image": image, "text": text, "font": " ".join(font.getname())}


def available_fonts():
    """The faces, as `PIL.ImageFont.FreeTypeFont`, always in one order.

    Raises:
        DataError: if one is missing; with the Debian packages that bring those missing.
    """
    missing = [
        package
        for package, faces in FONTS.items()
        if not all((FONTS_DIR / face).exists() for face in faces)
    ]
    if missing:
        raise words.DataError(
            f"{FONTS_DIR} lacks fonts of handwriting: apt-get install {' '.join(missing)}"
        )
    faces = [FONTS_DIR / face for faces in FONTS.values() for face in faces]
    return [ImageFont.truetype(str(face), SIZE) for face in faces]


def split_words():
    """Dict from the split to its words, of 2 to 12 letters from a to z.

    Raises:
        DataError: if the list of words is missing.
    """
    if not WORD_LIST.exists():
        raise words.DataError(f"{WORD_LIST} is missing: apt-get install wamerican")
    splits = {split: [] for split in words.SPLITS}
    for word in sorted(set(WORD_LIST.read_text().split())):
        if USABLE.fullmatch(word):
            # By the word itself, so that another version of the list moves no word.
            splits[words.split_of(word)].append(word)
    return splits


def write(text, font, generator):
    """A word as an image, `uint8 [height, width, 1]`."""
    left, top, right, bottom = font.getbbox(text)
    page = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(page).text((1 - left, 1 - top), text, font=font, fill=255)
    ink = np.asarray(page, np.float32) / 255
    ink = drawing.cropped(drawing.slanted(ink, generator.normal(0, 0.15)))
    # Wider or narrower than the font has it, then bent.
    ink = drawing.resized(
        ink, ink.shape[0], max(2, round(ink.shape[1] * generator.uniform(0.8, 1.2)))
    )
    ink = drawing.distorted(
        np.pad(ink, generator.integers(2, 7)),
        generator,
        strength=generator.uniform(0.5, 3.5),
        smoothness=generator.uniform(4, 8),
    )
    return drawing.on_paper(ink, generator)
