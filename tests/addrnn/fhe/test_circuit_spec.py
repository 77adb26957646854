"""What is saved for a client and a server, and how it is read."""

import dataclasses
import hashlib
import json
import zipfile

import pytest

from addrnn import fhe
from addrnn.fhe import CircuitSpec
from tests.addrnn.fhe import models

pytestmark = pytest.mark.fhe

EMPTY = hashlib.sha256(b"{}").hexdigest()  # of a description of a circuit


def test_saved_and_loaded(tmp_path):
    model = models.model(models.recurrent(2, 1, fan_in=1), models.dense(1, 3))
    fhe.compile(model, 2, formulation="shared_relu", input_range=(-1, 1)).save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["client.zip", "server.zip"]
    client, server = (CircuitSpec.load(tmp_path / f"{name}.zip") for name in ("client", "server"))
    assert client == server and len(client.circuit_id) == 64
    expected = CircuitSpec(model.inputs, 2, (-1, -1), (1, 1), (3,), 0.5, False)
    assert dataclasses.replace(client, circuit_id="", sizes=None) == expected


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "client.zip"
    with pytest.raises(FileNotFoundError):
        CircuitSpec.load(path)
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="is not the client.zip or server.zip of.*save writes"):
        CircuitSpec.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("client.specs.json", "{}")
    with pytest.raises(ValueError, match="is not the client.zip or server.zip of.*save writes"):
        CircuitSpec.load(path)


@pytest.mark.parametrize(
    "about, message",
    [
        ([], "is not the client.zip"),
        ({}, "is not the client.zip"),
        ({"version": 99}, "is of version 99, and .* reads version 3. Install .* or compile"),
        ({"version": 3}, "is damaged. Copy it or save the model anew"),
        ({"version": 3, "circuit_id": "ab"}, "is damaged. Copy it or save the model anew"),
        ({"version": 3, "circuit_id": EMPTY, "inputs": 1}, "is damaged"),
    ],
)
def test_a_description_that_makes_no_sense(about, message, tmp_path):
    path = tmp_path / "client.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("client.specs.json", "{}")
        archive.writestr("addrnn.fhe.json", json.dumps(about))
    with pytest.raises(ValueError, match=message):
        CircuitSpec.load(path)
