"""A directory laid out as the IAM database, with a few words that nobody wrote."""

import numpy as np
from PIL import Image

COMMENTS = """#--- words.txt ---------------------------------------------------------------#
#
# format: a01-000u-00-00 ok 154 1 408 768 27 51 AT A
#
"""
# Id, segmentation, tag, text.
ENTRIES = [
    ("a01-000u-00-00", "ok", "AT", "A"),
    ("a01-000u-00-01", "ok", "NN", "MOVE"),
    ("a01-000u-00-02", "err", "TO", "to"),
    ("a01-000u-01-00", "ok", "VB", "stop"),
    ("a01-117-05-02", "ok", "NN", "damaged"),
    ("a01-117-05-03", "ok", "NN", "whole"),
    ("b02-013-00-00", "ok", "NP", "Mr. X"),
    ("c03-003a-02-07", "ok", ".", "."),
    ("r06-022-03-05", "ok", "NN", "damaged too"),
    ("r06-022-03-06", "ok", "INC", "it's"),
]
FORMS = {"trainset.txt": "a01-000u a01-117", "testset.txt": "r06-022"}
LINES = {"validationset1.txt": "b02-013-00", "validationset2.txt": "c03-003a-02"}


def make(directory, *, official=True):
    """Writes it; images are of several sizes, those of damaged words are empty files."""
    lines = [f"{i} {seg} 154 408 768 27 51 {tag} {text}" for i, seg, tag, text in ENTRIES]
    (directory / "words.txt").write_text(COMMENTS + "\n".join(lines) + "\n")
    for number, (word_id, _, _, text) in enumerate(ENTRIES):
        parts = word_id.split("-")
        folder = directory / "words" / parts[0] / "-".join(parts[:2])
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{word_id}.png"
        if text.startswith("damaged"):
            file.write_bytes(b"")
        else:
            pixels = np.full((20 + number, 30 + 3 * number), 250, np.uint8)
            pixels[5:15, 5 : 10 + number] = 40
            Image.fromarray(pixels).save(file)
    if official:
        for name, text in {**FORMS, **LINES}.items():
            (directory / name).write_text("\n".join(text.split()) + "\n")
    return directory
