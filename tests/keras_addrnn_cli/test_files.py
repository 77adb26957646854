"""Whatever a file holds, the command line reads it or says in one line why not."""

import io
import zipfile

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from keras_addrnn_cli import main

pytestmark = pytest.mark.backend_neutral

COMMANDS = {
    "convert": ("model.tflite", "--quantize", "int8"),
    "quantize": ("model.safetensors",),
}


def npz(**arrays):
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def npy(array):
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def zip_of(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return content.getvalue()


def overwritten(content, at, count=8):
    return content[:at] + b"\xff" * count + content[at + count :]


COMPRESSED = npz(x=np.random.default_rng(0).random((4, 6, 3)))
DATA = {
    "empty": b"",
    "a zip's beginning": b"PK\x03\x04" + b"\0" * 50,
    "text": b"some text",
    "half an array": b"\x93NUMPY\x01\x00v\x00{",
    "a single array": npy(np.zeros((4, 6, 3))),
    "objects": npz(x=np.array([{}], object)),
    "cut off": COMPRESSED[: len(COMPRESSED) // 2],
    "damaged": overwritten(COMPRESSED, len(COMPRESSED) // 2),
    "damaged at its beginning": overwritten(COMPRESSED, 60),
    "a member with an endless array": zip_of(
        **{"x.npy": npy(np.zeros(3)).replace(b"(3,)", b"(%d,)" % 10**15)}
    ),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    keras.Sequential([keras.Input((6, 3)), ka.AddGRU(4), keras.layers.Dense(3)]).save(path)
    return path


def refused(capsys, command, model, data, folder):
    output, *options = COMMANDS[command]
    with pytest.raises(SystemExit) as stopped:
        main.main([command, str(model), str(folder / output), *options, "--data", str(data)])
    assert stopped.value.code == 1
    message = capsys.readouterr().err
    assert message.startswith("keras-addrnn: ") and message.count("\n") == 1
    assert not (folder / output).exists()
    return message


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("content", DATA)
def test_data_of_something_else(saved, tmp_path, capsys, content, command):
    path = tmp_path / "data.npz"
    path.write_bytes(DATA[content])
    message = refused(capsys, command, saved, path, tmp_path)
    assert f"'{path}' is not an .npz file of arrays, or it is damaged" in message


@pytest.mark.parametrize("command", COMMANDS)
def test_no_data(saved, tmp_path, capsys, command):
    for content in npz(), zip_of(), zip_of(**{"x.npy": "text"}):
        (tmp_path / "data.npz").write_bytes(content)
        message = refused(capsys, command, saved, tmp_path / "data.npz", tmp_path)
        assert "holds something else than arrays, or none" in message
    message = refused(capsys, command, saved, tmp_path / "none.npz", tmp_path)
    assert message.endswith("none.npz: No such file or directory\n")
    assert "Is a directory" in refused(capsys, command, saved, tmp_path, tmp_path)


def models(content):
    """What a `.keras` file may hold instead: its name, the bytes, and what is said."""
    yield "empty", b"", "is not a .keras file"
    yield "text", b"some text", "is not a .keras file"
    yield "cut off", content[: len(content) // 2], "is not a .keras file"
    yield "of nothing", zip_of(), "cannot be loaded"
    yield "without a configuration", zip_of(**{"metadata.json": "{}"}), "cannot be loaded"
    yield "with an empty one", zip_of(**{"config.json": "{}"}), "cannot be loaded"
    for name, at in ("the configuration", b'"class_name"'), ("the directory", b"PK\x01\x02"):
        yield f"damaged in {name}", overwritten(content, content.index(at) + 2), "cannot be loaded"


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="models are converted with TensorFlow"
)
@pytest.mark.parametrize("command", COMMANDS)
def test_model_of_something_else(saved, tmp_path, capsys, command):
    np.savez(tmp_path / "data.npz", x=np.zeros((4, 6, 3), "float32"))
    path = tmp_path / "model.keras"
    for name, content, says in models(saved.read_bytes()):
        path.write_bytes(content)
        message = refused(capsys, command, path, tmp_path / "data.npz", tmp_path)
        assert f"'{path}' {says}" in message, name
    saved_elsewhere = tmp_path / "model.zip"
    saved_elsewhere.write_bytes(saved.read_bytes())
    message = refused(capsys, command, saved_elsewhere, tmp_path / "data.npz", tmp_path)
    assert "is not a .keras file" in message


def test_layers_that_nobody_knows(tmp_path, capsys):
    class Unknown(keras.layers.Layer):
        def call(self, inputs):
            return inputs

    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((6, 3)), Unknown(), ka.AddGRU(4)]).save(path)
    np.savez(tmp_path / "data.npz", x=np.zeros((4, 6, 3), "float32"))
    message = refused(capsys, "quantize", path, tmp_path / "data.npz", tmp_path)
    assert len(message) < 500
    assert "cannot be loaded: Could not locate class 'Unknown'" in message
