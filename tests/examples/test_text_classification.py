"""Text classification: better than a guess, and padding changes nothing."""

import keras
import pytest

from tests.examples import support


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="takes long on other backends")
def test_it_reads():
    for library in ("matplotlib", "scipy", "sklearn"):
        pytest.importorskip(library)
    names = support.run("text_classification", EPOCHS=2)
    assert names["accuracy"] > names["chance"] + 0.15
    assert names["difference"] < 1e-5
    lengths = {len(words) for words, _ in names["train"]}
    assert min(lengths) == 4 and max(lengths) == 32
    # No sentence is in both, and none names a library.
    train, test = ({words for words, _ in names[part]} for part in ("train", "test"))
    assert not train & test
    assert not any(set(names["LIBRARIES"]) & set(words) for words in train | test)
    assert names["x_train"].max() <= names["VOCABULARY"] + 1
