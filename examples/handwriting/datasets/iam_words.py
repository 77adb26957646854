"""`iam_words`: the words of the IAM Handwriting Database."""

import io
import re

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image, UnidentifiedImageError

from handwriting.datasets import words

# These two files hold no image, as distributed.
DAMAGED = frozenset({"a01-117-05-02", "r06-022-03-05"})
# The task "Large Writer Independent Text Line Recognition" as distributed. Both validation sets go
# into one split.
OFFICIAL = {
    "train": ("trainset.txt",),
    "validation": ("validationset1.txt", "validationset2.txt"),
    "test": ("testset.txt",),
}
SPLIT_FILES = tuple(name for files in OFFICIAL.values() for name in files)
WORD_ID = re.compile(r"([a-z]\d{2})-(\d{3}[a-z]?)-(\d{2})-(\d{2})")
_UNPACK = "Unpack words.tgz anew"
FIELDS = "a word's id, ok or err, grey level, x, y, width, height, tag and text"


class IamWords(tfds.core.GeneratorBasedBuilder):
    """Words written by 657 people, from a manual download."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Register at https://fki.tic.heia-fr.ch/databases/iam-handwriting-database and download
    words.txt (in ascii.tgz) and words.tgz. The manual directory then holds words.txt and words/,
    with words/a01/a01-000u/a01-000u-00-00.png and so on. If it holds the files trainset.txt,
    validationset1.txt, validationset2.txt and testset.txt of the task "Large Writer Independent
    Text Line Recognition" too, those are the splits; otherwise a form is in one of them at random,
    always the same one (90 %, 5 %, 5 %).
    """

    def _info(self):
        return words.info(
            self,
            "Images of English words, written by 657 people, with what they read. Words whose "
            "segmentation is marked as bad are left out, and two whose files are damaged.",
            homepage="https://fki.tic.heia-fr.ch/databases/iam-handwriting-database",
            citation="""@article{marti2002iam,
  title={The IAM-database: an English sentence database for offline handwriting recognition},
  author={Marti, U-V and Bunke, Horst},
  journal={International Journal on Document Analysis and Recognition},
  volume={5}, pages={39--46}, year={2002}
}""",
            extra=("id",),
        )

    def _split_generators(self, dl_manager):
        directory = dl_manager.manual_dir
        official = official_splits(directory)
        splits = {split: [] for split in OFFICIAL}
        for word_id, text in read_words(directory / "words.txt"):
            split = split_of(word_id, official)
            if split is not None:
                splits[split].append((word_id, text))
        for split, entries in splits.items():
            if not entries:
                raise words.DataError(
                    f"{directory} leaves the split '{split}' without any word. Give the whole "
                    "database, as distributed"
                )
        return {
            split: self._generate_examples(directory, entries) for split, entries in splits.items()
        }

    def _generate_examples(self, directory, entries):
        for word_id, text in entries:
            image = read_image(image_path(directory, word_id))
            yield word_id, {"image": image, "text": text, "id": word_id}


def check(path):
    """That there is a `words.txt`.

    Raises:
        DataError: if there is none.
    """
    if not path.is_file():
        raise words.DataError(
            f"{path} is missing: the directory must hold words.txt and words/ of the IAM "
            "Handwriting Database, as distributed. Register at "
            "https://fki.tic.heia-fr.ch/databases/iam-handwriting-database and unpack ascii.tgz "
            "and words.tgz there"
        )


def _text(path):
    """The text in a file.

    Raises:
        DataError: if it cannot be read, or is no UTF-8, of which ASCII is a part.
    """
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise words.DataError(f"{path} cannot be read: {error}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise words.DataError(
            f"{path}, line {line}: expected UTF-8, got the byte 0x{error.object[error.start]:02x}"
        ) from None


def read_words(path):
    """Yields the id and the text of each word that is well segmented and not damaged.

    Args:
        path: `epath.Path` of `words.txt`; lines that start with `#`, and empty ones, are comments.

    Raises:
        DataError: if the file is missing, or a line is not one of a word, or of one that was there.
    """
    check(path)
    lines_of = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        # The text is all that follows the eighth field; a few texts have spaces.
        fields, fault = line.split(maxsplit=8), None
        word_id, segmentation = (*fields, "")[:2]
        if len(fields) < 9:
            fault = f"expected {FIELDS}, got {len(fields)} fields: {line!r}"
        elif not WORD_ID.fullmatch(word_id):
            fault = f"expected an id as a01-000u-00-00, got {word_id!r}"
        elif segmentation not in ("ok", "err", "er"):
            fault = f"expected ok or err after the id, got {segmentation!r}"
        elif lines_of.setdefault(word_id, number) != number:
            fault = f"{word_id} is in line {lines_of[word_id]} already"
        if fault is not None:
            raise words.DataError(f"{path}, line {number}: {fault}")
        if segmentation == "ok" and word_id not in DAMAGED:
            yield word_id, fields[8].rstrip()


def official_splits(directory):
    """Dict from a form's, a line's or a word's id to its split; None without any of the files.

    Raises:
        DataError: if some of the files are there and others are not, or an id is in two splits.
    """
    missing = [name for name in SPLIT_FILES if not (directory / name).exists()]
    if len(missing) == len(SPLIT_FILES):
        return None
    if missing:
        raise words.DataError(
            f"{directory} has some of the official splits' files, but not {', '.join(missing)}. "
            "Add these, or remove the others"
        )
    splits = {}
    for split, files in OFFICIAL.items():
        for name in files:
            for entry in _text(directory / name).split():
                if splits.setdefault(entry, split) != split:
                    raise words.DataError(
                        f"{directory / name} puts '{entry}' into '{split}', but it is in "
                        f"'{splits[entry]}' already. Take the files as distributed"
                    )
    return splits


def split_of(word_id, official):
    """The split of a word, or None where the official ones leave it out.

    Args:
        word_id: As `a01-000u-00-00`: form, line, word.
        official: What `official_splits` returns.
    """
    line_id = word_id.rsplit("-", 1)[0]
    form_id = line_id.rsplit("-", 1)[0]
    if official is not None:
        found = (official.get(part) for part in (word_id, line_id, form_id))
        return next((split for split in found if split), None)
    return words.split_of(form_id)


def image_path(directory, word_id):
    """Where the image of a word is: `words/a01/a01-000u/a01-000u-00-00.png`."""
    first, form = WORD_ID.fullmatch(word_id).group(1, 2)
    return directory / "words" / first / f"{first}-{form}" / f"{word_id}.png"


def read_image(path):
    """A PNG file as `uint8 [height, width, 1]`.

    Raises:
        DataError: if the file is missing or holds no image.
    """
    try:
        content = path.read_bytes()
        if not content:
            raise _no_image(path, "it is empty")
        with Image.open(io.BytesIO(content)) as image:
            return np.asarray(image.convert("L"))[:, :, np.newaxis]
    except FileNotFoundError:
        raise words.DataError(f"{path} is missing: words.txt names it. {_UNPACK}") from None
    except UnidentifiedImageError:  # whose message names a buffer in memory
        raise _no_image(path, "unknown format") from None
    except (OSError, SyntaxError) as error:
        raise _no_image(path, error) from None


def _no_image(path, why):
    return words.DataError(f"{path} holds no image that can be read: {why}. {_UNPACK}")
