"""
Title: Which library does this sentence document?
Description: An embedding with masks and a bidirectional AddGRU, on sentences of any length.

Python's libraries describe each function in a sentence: "Compute the inverse of a matrix." From
the words alone, does the sentence come from Keras, Matplotlib, SciPy or scikit-learn? The sentences
are read from the libraries that are installed here, so nothing is downloaded.

You will see the accuracy, and that padding does not change an answer.

    pip install matplotlib scipy scikit-learn
    python examples/text_classification.py    # a minute on two cores

## Setup
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import ast
import collections
import importlib.util
import pathlib
import random
import re
import zlib

import keras
import numpy as np

import keras_addrnn as ka

LIBRARIES = ("keras", "matplotlib", "scipy", "sklearn")
EPOCHS = 3
VOCABULARY = 4000
LONGEST = 32  # words
PAD, UNKNOWN = 0, 1

"""
## The data

The sentences are the first paragraphs of docstrings. The source files are parsed, not imported.
Words that name a library are taken out: they would give the answer away. Functions of one file
resemble each other, so a whole file goes either to training or to test. A sentence that two
libraries share, or that stands twice, counts once.
"""


def sentences(library):
    """Yields the words of each docstring's first paragraph, and whether it is for the test."""
    folder = pathlib.Path(importlib.util.find_spec(library).origin).parent
    files = sorted(str(file.relative_to(folder)) for file in folder.rglob("*.py"))
    for file in [file for file in files if "test" not in file]:
        for node in ast.walk(ast.parse((folder / file).read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                paragraph = (ast.get_docstring(node) or "").partition("\n\n")[0]
                words = re.findall("[a-z]+", paragraph.lower())
                words = tuple(word for word in words if word not in LIBRARIES)[:LONGEST]
                if len(words) >= 4:
                    yield words, zlib.crc32(file.encode()) % 5 == 0


seen, train, test = set(), [], []
for label, library in enumerate(LIBRARIES):
    for words, for_test in sentences(library):
        if words not in seen:
            seen.add(words)
            (test if for_test else train).append((words, label))
random.Random(0).shuffle(train)

"""
A word becomes its rank among the words to train on. 0 is left free for padding.
"""

counts = collections.Counter(word for words, _ in train for word in words)
index = {word: rank for rank, (word, _) in enumerate(counts.most_common(VOCABULARY), start=2)}


def encode(texts):
    numbers = [[index.get(word, UNKNOWN) for word in words] for words in texts]
    return keras.utils.pad_sequences(numbers, padding="post", value=PAD)


x_train, y_train = encode([words for words, _ in train]), np.array([label for _, label in train])
x_test, y_test = encode([words for words, _ in test]), np.array([label for _, label in test])
chance = np.bincount(y_test).max() / len(y_test)
lengths = (x_train != PAD).sum(1)
print(
    f"{len(x_train):,} sentences to train on, {len(x_test):,} to test, "
    f"of {lengths.min()} to {lengths.max()} words"
)

"""
## The model

`mask_zero=True` makes the embedding hand on a mask that is false where a sentence is padded. At
such a step AddGRU keeps its state exactly, so the state after the last word is the result.
`Bidirectional` reads each sentence from both ends.
"""

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(VOCABULARY + 2, 32, mask_zero=True),
        keras.layers.Bidirectional(ka.AddGRU(32)),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(len(LIBRARIES), activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=64, epochs=EPOCHS, validation_split=0.1, verbose=2)

"""
## The result

The validation sentences are from the files to train on, the test sentences from other files, so
they are harder. A guess without reading would name the most frequent library.
"""

_, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"\n{100 * accuracy:.1f} % of the test sentences right; without reading {100 * chance:.1f} %")
for (words, label), answer in zip(
    test[::400], model.predict(x_test[::400], verbose=0), strict=True
):
    print(f"{LIBRARIES[label]:10} taken for {LIBRARIES[answer.argmax()]:10} {' '.join(words)[:60]}")

"""
## Padding changes nothing

One sentence alone, without padding, gets the answer that it got in the padded batch.
"""

shortest = (x_test != PAD).sum(1).argmin()
alone = model.predict(encode([test[shortest][0]]), verbose=0)[0]
padded = model.predict(x_test[shortest : shortest + 1], verbose=0)[0]
difference = abs(alone - padded).max()
print(f"\n{len(test[shortest][0])} words alone and padded: answers differ by {difference:.1g}")
