"""Messages: what is packed comes out again, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addrnn.fhe import _messages

pytestmark = pytest.mark.fhe

CIRCUIT, OTHER = "ab" * 32, "cd" * 32
KEY = bytes(range(16))
PARTS = [b"first part", b"second"]
SIZES = tuple(map(len, PARTS))
MESSAGE = _messages.pack("output", CIRCUIT, KEY, PARTS)


def test_what_is_packed_comes_out_again():
    assert _messages.unpack("output", MESSAGE, CIRCUIT, SIZES) == (KEY, PARTS)
    assert _messages.unpack("output", bytearray(MESSAGE), CIRCUIT, SIZES) == (KEY, PARTS)


def test_a_part_may_have_something_around_its_numbers_but_not_be_short():
    assert _messages.unpack("output", MESSAGE, CIRCUIT, (1, 0)) == (KEY, PARTS)
    with pytest.raises(ValueError, match="cut off, too long or damaged"):
        _messages.unpack("output", MESSAGE, CIRCUIT, (len(PARTS[0]) + 1, 0))


def test_what_concrete_python_refuses_is_told():
    with pytest.raises(ValueError, match=r"refuses \(no header\). Send it anew"):
        with _messages.library_errors("keys"):
            raise RuntimeError("no header")


def test_a_step_is_told():
    with pytest.raises(ValueError, match="does not tell its step.*send it anew"):
        _messages.Position.unpack(b"")


def test_the_largest_message_that_is_taken():
    sizes = (1000, 10)
    longest = [bytes(size + 16 * 1024) for size in sizes]
    message = _messages.pack("keys", CIRCUIT, KEY, longest)
    assert len(message) == _messages.max_bytes(sizes)
    assert _messages.unpack("keys", message, CIRCUIT, sizes) == (KEY, longest)
    message = _messages.pack("keys", CIRCUIT, KEY, [longest[0] + b"1", longest[1]])
    with pytest.raises(ValueError, match="too long"):
        _messages.unpack("keys", message, CIRCUIT, sizes)


@pytest.mark.parametrize(
    "kind, message, circuit, words",
    [
        (
            "output",
            b"",
            CIRCUIT,
            "Expected an encrypted output of addrnn.fhe. Received: 0 bytes.*`run`",
        ),
        (
            "keys",
            b"{}" * 100,
            CIRCUIT,
            "Expected evaluation keys.*`Client.evaluation_keys` makes them",
        ),
        ("keys", MESSAGE, CIRCUIT, "Received: an encrypted output. `Client.eval"),
        ("output", MESSAGE, OTHER, "circuit cdcdcdcdcdcd. Received: for abababababab"),
        ("output", MESSAGE[:-1], CIRCUIT, "cut off, too long or damaged. Send it anew"),
        ("output", MESSAGE + b"1", CIRCUIT, "cut off, too long or damaged"),
        ("input", _messages.pack("input", CIRCUIT, KEY, PARTS[:1]), CIRCUIT, "or damaged. Send it"),
        ("output", MESSAGE.replace(b"output", b"o\xffput"), CIRCUIT, "Received: something else"),
    ],
)
def test_what_is_refused(kind, message, circuit, words):
    with pytest.raises(ValueError, match=words):
        _messages.unpack(kind, message, circuit, SIZES)


@given(st.data())
def test_whatever_comes_is_taken_as_it_is_or_refused(data):
    message = bytearray(MESSAGE)
    for _ in range(data.draw(st.integers(1, 3))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    message = message[: data.draw(st.integers(0, len(message)))]
    try:
        key, parts = _messages.unpack("output", bytes(message), CIRCUIT, SIZES)
    except ValueError:
        return
    assert _messages.pack("output", CIRCUIT, key, parts) == message
