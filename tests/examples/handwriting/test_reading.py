"""The loss, the decoding and the error rates, against other ways to the same numbers."""

import itertools

import keras
import numpy as np
import pytest

pytest.importorskip("jiwer")
from handwriting import model, pipeline, reading  # noqa: E402

ALPHABET = pipeline.Alphabet(["ab"])  # blank, unknown, a, b


def as_logits(rows):
    """Probabilities `[steps, C]` of one text as logits `[1, steps, C]`."""
    return np.log(np.array(rows, "float32") + 1e-9)[np.newaxis]


def collapsed(path):
    """What CTC reads along a path: repeated classes once, then no blanks."""
    return tuple(c for c, _ in itertools.groupby(path) if c != 0)


def probability_of_each_text(probabilities):
    """By going along every path there is."""
    texts = {}
    steps, classes = probabilities.shape
    for path in itertools.product(range(classes), repeat=steps):
        probability = np.prod([probabilities[t, c] for t, c in enumerate(path)])
        texts[collapsed(path)] = texts.get(collapsed(path), 0) + probability
    return texts


def random_probabilities(seed):
    logits = np.random.default_rng(seed).normal(size=(5, 4)) * 1.5
    return np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)


@pytest.mark.parametrize("seed", range(5))
def test_loss_is_that_of_all_paths(seed):
    probabilities = random_probabilities(seed)
    of = probability_of_each_text(probabilities)
    for text in ((2,), (2, 3), (2, 2), (3, 1, 2)):
        loss = model.ctc_loss(np.array([text]), as_logits(probabilities))
        np.testing.assert_allclose(float(loss), -np.log(of[text]), rtol=1e-4)


def test_loss_is_that_of_keras():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(7, 32, 13)).astype("float32")
    classes = np.zeros((7, 9), "int32")
    for row, length in zip(classes, (1, 2, 3, 5, 7, 8, 9), strict=True):
        row[:length] = rng.integers(1, 13, length)
    expected = keras.losses.CTC()(classes, logits)
    np.testing.assert_allclose(float(model.ctc_loss(classes, logits)), float(expected), rtol=1e-5)


def test_greedy():
    blank, a, b = [0.9, 0, 0.1, 0], [0.2, 0, 0.7, 0.1], [0.1, 0, 0.2, 0.7]
    for path, text in (((a, a, b), "ab"), ((a, blank, a), "aa"), ((blank, blank, blank), "")):
        assert reading.decode(as_logits(path), ALPHABET) == [text]


@pytest.mark.parametrize("seed", range(5))
def test_beam_search_finds_the_likeliest_text(seed):
    probabilities = random_probabilities(seed)
    of = probability_of_each_text(probabilities)
    best = max(of, key=of.get)
    read = reading.decode(as_logits(probabilities), ALPHABET, "beam_search")
    assert read == ALPHABET.decode([best])


def test_beam_search_sees_more_than_the_best_path():
    """The blanks are the best path (0.36), but "a" is likelier by three others together (0.64)."""
    logits = as_logits([[0.6, 0, 0.4, 0]] * 2)
    assert reading.decode(logits, ALPHABET) == [""]
    assert reading.decode(logits, ALPHABET, "beam_search") == ["a"]


def test_error_rates_by_hand():
    # One character replaced, one left out, two put in, all three left out; of twelve in all.
    rates = reading.error_rates(["abc", "abc", "ab", "abc", "a"], ["axc", "ac", "abcc", "", "a"])
    assert rates == pytest.approx({"cer": (1 + 1 + 2 + 3) / 12, "wer": 4 / 5})


@pytest.mark.parametrize("kind", list(model.LAYERS))
def test_network(kind):
    network = model.build(kind, classes=5)
    logits = network(np.zeros((2, 32, 128, 1), "float32"))
    assert logits.shape == (2, 32, 5)
    gates = {"AddGRU": 2, "GRU": 3, "LSTM": 4}[kind]
    biases = 2 if kind == "GRU" else 1  # GRU has one for the inputs and one for the state

    def parameters(features, units):
        return 2 * gates * units * (features + units + biases)

    normalizations = 2 * 256 + 2 * 128
    scales = 2 * 2 if kind == "AddGRU" else 0  # of the inputs, in both directions of both layers
    recurrent = parameters(64, 128) + parameters(256, 64) + normalizations + scales
    assert network.get_layer("recurrent").count_params() == recurrent


def test_steps_go_from_left_to_right():
    """What is in the image's left half shows in no step of the right half before the recurrence."""
    network = model.build("AddGRU", classes=5)
    before = keras.Model(network.input, network.get_layer("recurrent").input)
    image = np.zeros((1, 32, 128, 1), "float32")
    left = image.copy()
    left[:, :, :60] = 1
    difference = np.abs(before(left) - before(image)).max(-1)[0]
    assert difference[:14].max() > 0
    assert not difference[17:].any()
