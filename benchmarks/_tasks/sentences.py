"""Sentences of docstrings: which of four installed libraries does each document?"""

import ast
import collections
import importlib.util
import pathlib
import random
import re
import zlib

import keras
import numpy as np

LIBRARIES = ("keras", "matplotlib", "scipy", "sklearn")
VOCABULARY = 4000
LONGEST = 32  # words
PAD, UNKNOWN = 0, 1


def load():
    """Numbers of words, padded with 0, and numbers of libraries, to train on, then to test with.

    A sentence that two libraries share, or that stands twice, counts once.

    Returns:
        Twice a tuple of `int32 [count, words]` and `int64 [count]`.

    Raises:
        ModuleNotFoundError: if one of the libraries is not installed.
    """
    seen, train, test = set(), [], []
    for label, library in enumerate(LIBRARIES):
        for words, for_test in documented(library):
            if words not in seen:
                seen.add(words)
                (test if for_test else train).append((words, label))
    random.Random(0).shuffle(train)
    counts = collections.Counter(word for words, _ in train for word in words)
    index = {word: rank for rank, (word, _) in enumerate(counts.most_common(VOCABULARY), start=2)}
    return _encoded(train, index), _encoded(test, index)


def documented(library):
    """Yields the words of each docstring's first paragraph, and whether it is for the test.

    The files are parsed, not imported. Words that name a library are left out. A whole file goes
    either to training or to test, as functions of one file resemble each other.
    """
    spec = importlib.util.find_spec(library)
    if spec is None:
        raise ModuleNotFoundError(f"{library}'s docstrings are read, and it is not installed")
    folder = pathlib.Path(spec.origin).parent
    files = sorted(str(file.relative_to(folder)) for file in folder.rglob("*.py"))
    for file in [file for file in files if "test" not in file]:
        for node in ast.walk(ast.parse((folder / file).read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                paragraph = (ast.get_docstring(node) or "").partition("\n\n")[0]
                words = re.findall("[a-z]+", paragraph.lower())
                words = tuple(word for word in words if word not in LIBRARIES)[:LONGEST]
                if len(words) >= 4:
                    yield words, zlib.crc32(file.encode()) % 5 == 0


def _encoded(pairs, index):
    numbers = [[index.get(word, UNKNOWN) for word in words] for words, _ in pairs]
    padded = keras.utils.pad_sequences(numbers, maxlen=LONGEST, padding="post", value=PAD)
    return padded, np.array([label for _, label in pairs])
