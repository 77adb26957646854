"""The file of an integer model: it comes back whole, and nothing else is taken for one."""

import dataclasses
import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

import addrnn
from addrnn import file
from tests import integer_problems as support
from tests.golden import integer as vectors

KEY = "addrnn.integer_model"


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The bytes of a model of two recurrent layers and a dense one, one with multipliers."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    draw().save(path)
    return path.read_bytes()


def draw():
    return support.draw_model(np.random.default_rng(0), 3, (2, 3), classes=2, multiplier=True)


def write(path, content):
    path.write_bytes(content)
    return path


def edited(content, about=None, tensors=None):
    """The file with the description and the tensors changed in place, and a checksum that fits."""
    stored = safetensors.numpy.load(content)
    (length,) = struct.unpack("<Q", content[:8])
    described = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][KEY])
    if tensors is not None:
        tensors(stored)
    if about is not None:
        described = about(described) or described
    if isinstance(described, dict) and "sha256" in described:
        del described["sha256"]
        described["sha256"] = file._checksum(described, stored)
    return safetensors.numpy.save(stored, metadata={KEY: json.dumps(described)})


MODELS = [*vectors.model_cases(), *vectors.model_cases("min_models")]


@pytest.mark.parametrize("case", MODELS, ids=lambda case: case.label)
def test_comes_back(case, tmp_path):
    path = tmp_path / "model.safetensors"
    case.model.save(path)
    loaded = addrnn.load(path)
    assert loaded.inputs == case.model.inputs
    for layer, expected in zip(loaded.layers, case.model.layers, strict=True):
        assert type(layer) is type(expected)
        for field in dataclasses.fields(layer):
            value, wanted = getattr(layer, field.name), getattr(expected, field.name)
            assert type(value) is type(wanted)
            np.testing.assert_array_equal(value, wanted)
    np.testing.assert_array_equal(loaded.run(case.inputs, case.mask), case.outputs)


def test_the_same_model_gives_the_same_bytes(content, tmp_path):
    path = tmp_path / "again.safetensors"
    code = (
        "from tests.addrnn.test_file import addrnn, draw\n"
        f"draw().save({str(path)!r})\n"
        f"addrnn.load({str(path)!r}).save({str(path)!r})\n"
    )
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert path.read_bytes() == content


def test_the_file_is_replaced_whole_or_not_at_all(content, tmp_path, monkeypatch):
    path = write(tmp_path / "model.safetensors", b"before")
    monkeypatch.setattr(file, "_checksum", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        draw().save(path)
    assert path.read_bytes() == b"before" and len(list(tmp_path.iterdir())) == 1


def test_a_path_that_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match="a directory that exists. Received: .*none"):
        draw().save(tmp_path / "none" / "model.safetensors")
    with pytest.raises(ValueError, match="Received the directory"):
        draw().save(tmp_path)


def test_a_tool_of_safetensors_can_read_it(content):
    tensors = safetensors.numpy.load(content)
    assert tensors["0.kernel"].dtype == np.int8 and tensors["2.bias"].dtype == np.int32


def test_truncated_anywhere(content, tmp_path):
    path = tmp_path / "model.safetensors"
    for length in range(len(content)):
        with pytest.raises(ValueError, match="is not the file of an integer model"):
            addrnn.load(write(path, content[:length]))


@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_flipped_bits(content, tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "flipped.safetensors"
    damaged = bytearray(content)
    bits = st.integers(0, 8 * len(content) - 1)
    for position in data.draw(st.lists(bits, min_size=1, max_size=2, unique=True)):
        damaged[position // 8] ^= 1 << position % 8
    with pytest.raises(ValueError, match="is not the file|is damaged|is of version"):
        addrnn.load(write(path, bytes(damaged)))


@settings(deadline=None, max_examples=100)
@given(noise=st.binary(max_size=200))
def test_noise(tmp_path_factory, noise):
    path = tmp_path_factory.getbasetemp() / "noise.safetensors"
    with pytest.raises(ValueError, match="is not the file of an integer model"):
        addrnn.load(write(path, noise))


@pytest.mark.parametrize(
    "metadata", [None, {}, {KEY: "{"}, {KEY: "[]"}, {KEY: "7"}, {KEY: "{}"}, {KEY: "[" * 10**5}]
)
def test_another_file_of_safetensors(metadata, tmp_path):
    foreign = safetensors.numpy.save({"weight": np.ones((2, 2))}, metadata=metadata)
    with pytest.raises(ValueError, match="is not the file of an integer model"):
        addrnn.load(write(tmp_path / "foreign.safetensors", foreign))


def test_a_header_that_promises_too_much(tmp_path):
    for header in (
        {"0.kernel": {"dtype": "I8", "shape": [2**40, 2**40], "data_offsets": [0, 4]}},
        {"0.kernel": {"dtype": "I8", "shape": [4], "data_offsets": [0, 2**62]}},
        {"0.kernel": {"dtype": "I8", "shape": [-4], "data_offsets": [0, 4]}},
        {"0.kernel": {"dtype": "X", "shape": [4], "data_offsets": [0, 4]}},
        {"0.kernel": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}},
    ):
        text = json.dumps(header | {"__metadata__": {KEY: "{}"}}).encode()
        for length in (len(text), 2**63, 2**64 - 1):
            hostile = struct.pack("<Q", length) + text + b"abcd"
            with pytest.raises(ValueError, match="is not the file of an integer model"):
                addrnn.load(write(tmp_path / "hostile.safetensors", hostile))


@pytest.mark.parametrize("version", [3, 0, "1", None, True, 1.0, [1]])
def test_another_version(content, version, tmp_path):
    other = edited(content, lambda about: about.update(version=version))
    with pytest.raises(ValueError, match="is of version .* reads versions 1 to 2"):
        addrnn.load(write(tmp_path / "other.safetensors", other))


def version_of(path):
    stored = path.read_bytes()
    (length,) = struct.unpack("<Q", stored[:8])
    return json.loads(json.loads(stored[8 : 8 + length])["__metadata__"][KEY])["version"]


def test_a_file_is_of_the_least_version_that_has_its_layers(tmp_path):
    path = tmp_path / "model.safetensors"
    for kernel_sizes, version in ((None, 1), ((3, None), 2), ((None, 2), 2)):
        rng = np.random.default_rng(0)
        support.draw_model(rng, 3, (2, 3), classes=2, kernel_sizes=kernel_sizes).save(path)
        assert version_of(path) == version
    # An older version has no such layer, and a newer one has the older layers too.
    older = edited(path.read_bytes(), lambda about: about.update(version=1))
    with pytest.raises(ValueError, match="is damaged: version 1 has no IntegerMinAddGRU. Copy"):
        addrnn.load(write(path, older))


def test_an_old_file_is_read_as_a_newer_one(content, tmp_path):
    newer = edited(content, lambda about: about.update(version=2))
    loaded = addrnn.load(write(tmp_path / "model.safetensors", newer))
    assert repr(loaded) == repr(draw())


def change(*path, to):
    """Sets what `path` leads to in the description."""

    def edit(about):
        *way, last = path
        for name in way:
            about = about[name]
        about[last] = to

    return edit


def remove(*path):
    def edit(about):
        *way, last = path
        for name in way:
            about = about[name]
        del about[last]

    return edit


NESTED = json.loads("[" * 900 + "]" * 900)


@pytest.mark.parametrize(
    "edit",
    [
        remove("inputs"),
        remove("layers"),
        remove("inputs", "bits"),
        remove("layers", 0, "class"),
        remove("layers", 0, "state_max"),
        change("inputs", to=[8, 1.0]),
        change("inputs", to=None),
        change("inputs", "scale", to="0.5"),
        change("inputs", "scale", to=10**400),
        change("inputs", "scale", to=float("nan")),
        change("inputs", "more", to=1),
        change("layers", to={}),
        change("layers", to=[]),
        change("layers", to=5),
        change("layers", to="abc"),
        change("layers", 0, to=None),
        change("layers", 0, to="IntegerAddGRU"),
        change("layers", 0, "class", to="IntegerLSTM"),
        change("layers", 0, "class", to=["IntegerAddGRU"]),
        change("layers", 0, "class", to="IntegerDense"),
        change("layers", 0, "kernel", to=[[1, 2]]),
        change("layers", 0, "state_max", to=2**70),
        change("layers", 0, "state_max", to=1.5),
        change("layers", 0, "state_max", to=True),
        change("layers", 0, "state_scale", to="1"),
        change("layers", 0, "go_backwards", to="no"),
        change("layers", 0, "return_sequences", to=0),
        change("layers", 0, "return_sequences", to=False),
        change("layers", 0, "name", to=["add_gru"]),
        change("layers", 0, "name", to=NESTED),
        change("layers", 0, "more", to=1),
        change("layers", 0, "__class__", to=1),
        change("layers", 1, "input_bits", to=15),
        change("layers", 2, "scale", to=None),
    ],
)
def test_a_description_that_makes_no_sense(content, edit, tmp_path):
    with pytest.raises(ValueError, match=r"is damaged: .+\. Copy it or save"):
        addrnn.load(write(tmp_path / "wrong.safetensors", edited(content, edit)))


def put(name, value):
    return lambda tensors: tensors.update({name: value})


@pytest.mark.parametrize(
    "edit",
    [
        lambda tensors: tensors.pop("0.kernel"),
        lambda tensors: tensors.pop("2.bias"),
        put("0.kernel", np.ones((3, 4), np.float32)),
        put("0.kernel", np.ones((3, 4), bool)),
        put("0.kernel", np.ones((3, 5), np.int8)),
        put("0.kernel", np.ones((0, 4), np.int8)),
        put("0.kernel", np.ones((), np.int8)),
        put("0.kernel", np.full((3, 4), -128, np.int8)),
        put("0.recurrent_kernel", np.ones((2**12, 2**10), np.int8)),
        put("0.shift", np.full(4, 255, np.uint8)),
        put("0.multiplier", np.zeros(4, np.int32)),
        put("0.bias", np.full(4, 2**31 - 1, np.int32)),
        put("0.more", np.ones(4, np.int8)),
        put("1.kernel", np.ones((7, 6), np.int8)),
        put("2.kernel", np.ones((2, 3), np.int8)),
    ],
)
def test_tensors_that_make_no_sense(content, edit, tmp_path):
    with pytest.raises(ValueError, match="is damaged"):
        addrnn.load(write(tmp_path / "wrong.safetensors", edited(content, tensors=edit)))


def test_a_wrong_checksum(content, tmp_path):
    def forget(about):
        return {name: value for name, value in about.items() if name != "sha256"}

    with pytest.raises(ValueError, match="checksum is wrong. Copy it or save the model anew"):
        addrnn.load(write(tmp_path / "wrong.safetensors", edited(content, forget)))
    tampered = safetensors.numpy.load(content)
    tampered["2.bias"] += 1
    (length,) = struct.unpack("<Q", content[:8])
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    with pytest.raises(ValueError, match="checksum is wrong"):
        addrnn.load(
            write(tmp_path / "wrong.safetensors", safetensors.numpy.save(tampered, metadata))
        )


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.safetensors"):
        addrnn.load(tmp_path / "none.safetensors")


def test_no_file_but_a_device_or_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe"):
        with pytest.raises(ValueError, match=f"'{path}' is a device or a pipe.*IntegerModel.save"):
            addrnn.load(path)


def test_a_file_that_is_too_large_for_a_model(tmp_path):
    path = tmp_path / "large.safetensors"
    path.touch()
    os.truncate(path, file.SIZE_LIMIT + 1)
    with pytest.raises(
        ValueError, match=f"has {file.SIZE_LIMIT + 1} bytes, and .* at most.*IntegerModel.save"
    ):
        addrnn.load(path)


def test_what_could_not_be_read_again_is_not_written(content, tmp_path, monkeypatch):
    monkeypatch.setattr(file, "SIZE_LIMIT", len(content) - 1)
    message = f"takes {len(content)} bytes, and .* {len(content) - 1} at most. Use fewer units"
    with pytest.raises(ValueError, match=message):
        draw().save(tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(file, "SIZE_LIMIT", len(content))
    draw().save(tmp_path / "model.safetensors")


def test_without_safetensors(content, tmp_path, monkeypatch):
    path = write(tmp_path / "model.safetensors", content)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"keras_addrnn\[integer\]"):
        addrnn.load(path)
