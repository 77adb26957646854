"""Streams: the state stays encrypted, and belongs to one client, one sequence and one step."""

import numpy as np
import pytest

from addrnn import fhe
from tests.addrnn.fhe import models

pytestmark = pytest.mark.fhe

MIN_ADD = models.model(
    models.min_recurrent(2, 1, 1, kernel_size=1, shift=np.array([1, 0], np.uint8)),
    models.dense(1, 2),
)
ADD = models.model(
    models.recurrent(2, 1, state_shift=1, state_max=2, candidate_min=-1, candidate_max=2)
)


def check(model, lengths):
    compiled = fhe.compile_stream(model, max(lengths), formulation="shared_relu")
    for seed, length in enumerate(lengths):
        inputs = models.sequences(models.full_range(model), length, 0, seed)[2:3]
        outputs = compiled.predict_integers(inputs, fhe="execute")
        np.testing.assert_array_equal(outputs, model.run(inputs))


def test_sequences_of_any_length():
    check(MIN_ADD, (1, 2, 9))


@pytest.mark.slow
def test_sequences_of_add_gru():
    check(ADD, (1, 7))


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    directory = tmp_path_factory.mktemp("stream")
    sha256 = fhe.compile_stream(MIN_ADD, 3).save(directory)
    client = fhe.Client.load(directory / "client.zip")
    server = fhe.Server.load(directory / "server.zip", sha256)
    return directory, client, server, server.load_keys(client.evaluation_keys())


INPUTS = np.array([[1, -2], [-1, 1], [0, 1], [1, 1]])


def test_client_and_server(sides):
    _, client, server, keys = sides
    stream, state, sizes = client.stream(), None, []
    for t in range(3):
        message = stream.encrypt(INPUTS[t])
        sizes.append(len(message))
        answer, state = server.run_step(message, keys, state)
        expected = MIN_ADD.run(INPUTS[None, : t + 1])[0]
        np.testing.assert_array_equal(stream.decrypt(answer), expected)
    assert sizes[0] > sizes[1] == sizes[2]  # the first brings a state along


def test_too_long_a_sequence_is_refused_before_anything_is_encrypted(sides, monkeypatch):
    stream = sides[1].stream()
    for step in INPUTS[:3]:
        stream.encrypt(step)
    monkeypatch.setattr(stream, "_client", None)
    with pytest.raises(ValueError, match="streams of 3 steps at most.*4 steps.*`max_timesteps`"):
        stream.encrypt(INPUTS[3])
    with pytest.raises(ValueError, match="streams of 3 steps at most"):
        fhe.compile_stream(MIN_ADD, 3, formulation="shared_relu").predict_integers(INPUTS[None])


def test_the_state_of_another_step_stream_or_client_is_refused(sides):
    directory, client, server, keys = sides
    stream = client.stream()
    first, second, third = (stream.encrypt(step) for step in INPUTS[:3])
    answer, after_first = server.run_step(first, keys)
    _, after_second = server.run_step(second, keys, after_first)

    def refused(words, *arguments):
        with pytest.raises(ValueError, match=words):
            server.run_step(*arguments)

    refused(
        "Expected step 1.*Received: step 2. Give the state", third, keys, after_first
    )  # a step is left out
    refused("Expected step 2.*Received: step 1", second, keys, after_second)  # replayed
    refused("Give the first step of a stream without", first, keys, after_second)  # begun anew
    refused("any later one with the state", second, keys)
    refused("Expected an encrypted state", third, keys, answer)
    refused("cut off, too long or damaged", third, keys, after_second[:-1])
    refused("Expected an encrypted input", after_second, keys, after_second)

    other = client.stream()
    other.encrypt(INPUTS[0])
    refused("another stream.*Give the state", other.encrypt(INPUTS[1]), keys, after_first)
    with pytest.raises(ValueError, match="another stream. Decrypt it by the"):
        other.decrypt(answer)

    stranger = fhe.Client.load(directory / "client.zip")
    stream = stranger.stream()
    begin = stream.encrypt(INPUTS[0])
    refused("under other keys", begin, keys)
    refused("another client.*Give the state", stream.encrypt(INPUTS[1]), keys, after_first)
    with pytest.raises(ValueError, match="under other keys"):
        stream.decrypt(answer)


def test_streams_and_sequences_are_not_mixed_up(sides):
    _, client, server, keys = sides
    with pytest.raises(ValueError, match="`Client.stream"):
        client.encrypt(INPUTS[:1])
    with pytest.raises(ValueError, match="`run_step`"):
        server.run(client.stream().encrypt(INPUTS[0]), keys)


def test_inputs_are_checked(sides):
    stream = sides[1].stream()
    with pytest.raises(TypeError, match="`inputs` must hold integers"):
        stream.encrypt(np.zeros(2))
    with pytest.raises(ValueError, match=r"\[2\], the features of a step\. Received"):
        stream.encrypt([1])
    with pytest.raises(ValueError, match=r"from -2 to 1 in feature 1.*Received: 2\. Compile"):
        stream.encrypt([0, 2])


@pytest.mark.parametrize(
    "layers",
    [
        [models.min_recurrent(2, 1, kernel_size=2)],
        [models.recurrent(2, 1, go_backwards=True)],
        [models.recurrent(2, 1, return_sequences=True)],
        [models.recurrent(2, 1, return_sequences=True), models.recurrent(1, 1, input_bits=3)],
    ],
)
def test_what_is_no_stream(layers):
    with pytest.raises(ValueError, match="one recurrent layer that reads one input at a time"):
        fhe.compile_stream(models.model(*layers), 3)
