"""`keras-addrnn convert`: the same file as `lite.convert` writes, or one line that says why not."""

import keras
import numpy as np
import pytest

import addrnn.lite
import keras_addrnn as ka
from keras_addrnn_cli import main
from tests import integer_problems as support

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="models are converted with TensorFlow"
)


@pytest.fixture
def saved(tmp_path):
    model = keras.Sequential([keras.Input((6, 3), name="rows"), ka.AddGRU(4, name="layer")])
    model.save(tmp_path / "model.keras")
    return model, tmp_path


@pytest.mark.parametrize("ops", ["builtin", pytest.param("fused", marks=pytest.mark.fused)])
def test_writes_what_convert_writes(saved, ops, capsys):
    model, folder = saved
    output = folder / "model.tflite"
    command = ["convert", str(folder / "model.keras"), str(output), "--ops", ops, "--batch", "2"]
    assert main.main(command) == 0
    assert output.read_bytes() == ka.lite.convert(model, ops=ops, batch_size=2)
    assert f"{ops} operators" in capsys.readouterr().out


def refused(capsys, *command):
    """What `convert` says when it does not."""
    with pytest.raises(SystemExit) as stopped:
        main.main(["convert", *map(str, command)])
    assert stopped.value.code in (1, 2)
    message = capsys.readouterr().err
    assert "Traceback" not in message
    return message


def test_a_message_leaves_the_names_of_files_as_they_are(saved, capsys):
    _, folder = saved
    (folder / "weight_bits=4").mkdir()
    output = folder / "weight_bits=4" / "model.lite"
    assert f"{output}" in refused(capsys, folder / "model.keras", output)


@pytest.mark.fused
def test_open_batch(saved):
    model, folder = saved
    command = ["convert", str(folder / "model.keras"), str(folder / "model.tflite")]
    assert main.main([*command, "--ops", "fused", "--batch", "none"]) == 0
    expected = ka.lite.convert(model, ops="fused", batch_size=None)
    assert (folder / "model.tflite").read_bytes() == expected


def test_open_batch_without_a_loop(tmp_path):
    model = keras.Sequential([keras.Input((6, 3), name="rows"), ka.MinAddGRU(4, name="layer")])
    model.save(tmp_path / "model.keras")
    command = ["convert", str(tmp_path / "model.keras"), str(tmp_path / "model.tflite")]
    assert main.main([*command, "--batch", "none"]) == 0
    expected = ka.lite.convert(model, batch_size=None)
    assert (tmp_path / "model.tflite").read_bytes() == expected


@pytest.mark.parametrize("kernel_sizes", [None, (3,)])
def test_integer_model(tmp_path, capsys, kernel_sizes):
    pytest.importorskip("ai_edge_litert")
    rng = np.random.default_rng(0)
    model = support.draw_model(rng, 3, (4,), classes=2, kernel_sizes=kernel_sizes)
    model.save(tmp_path / "model.safetensors")
    command = [str(tmp_path / "model.safetensors"), str(tmp_path / "model.tflite")]
    for batch, size in (("none", None), ("3", 3)):
        assert main.main(["convert", *command, "--batch", batch]) == 0
        expected = addrnn.lite.convert_integer(model, batch_size=size)
        assert (tmp_path / "model.tflite").read_bytes() == expected
        assert "integer operators" in capsys.readouterr().out
    for option, value in (("--ops", "fused"), ("--quantize", "int8"), ("--data", command[0])):
        message = refused(capsys, *command, option, value)
        assert f"{option} is for Keras models" in message and "Leave it out" in message
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    message = refused(capsys, tmp_path / "junk.safetensors", command[1])
    assert "is not the file of an integer model" in message


def test_no_such_model(tmp_path, capsys):
    message = refused(capsys, tmp_path / "none.keras", tmp_path / "none.tflite")
    assert message == f"keras-addrnn: {tmp_path}/none.keras: No such file or directory\n"
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written(saved, capsys):
    _, folder = saved
    model, before = folder / "model.keras", (folder / "model.keras").read_bytes()
    message = refused(capsys, model, folder / "none" / "model.tflite")
    assert "a directory that exists" in message and "`" not in message
    (folder / "folder.tflite").mkdir()
    assert "Received the directory" in refused(capsys, model, folder / "folder.tflite")
    assert "must be named *.tflite" in refused(capsys, model, folder / "model.lite")
    assert "must be named *.tflite" in refused(capsys, model, model)
    (folder / "link.tflite").symlink_to(model)
    assert "Name another to write" in refused(capsys, model, folder / "link.tflite")
    assert model.read_bytes() == before


@pytest.mark.parametrize("names", [("arr_0",), ("x",), ("rows",), ("rows", "y"), ("x", "y")])
def test_quantized_with_data(saved, names, capsys):
    model, folder = saved
    x = np.random.default_rng(0).random((8, 6, 3)).astype("float32")
    np.savez(folder / "sample.npz", **dict(zip(names, (x, np.zeros(8, int)), strict=False)))
    output = folder / "model.tflite"
    command = ["convert", str(folder / "model.keras"), str(output), "--quantize", "int8"]
    assert main.main([*command, "--data", str(folder / "sample.npz")]) == 0
    expected = ka.lite.convert(model, quantize="int8", representative_data=x)
    assert output.read_bytes() == expected
    assert "builtin operators, int8" in capsys.readouterr().out


def test_two_inputs_take_an_array_each(tmp_path):
    inputs = [keras.Input((2, 3), name=name) for name in ("left", "right")]
    model = keras.Model(inputs, ka.AddGRU(4)(keras.layers.Add()(inputs)))
    model.save(tmp_path / "model.keras")
    rng = np.random.default_rng(0)
    data = {name: rng.random((5, 2, 3), "float32") for name in ("left", "right")}
    np.savez(tmp_path / "data.npz", **data)
    paths = [str(tmp_path / name) for name in ("model.keras", "model.tflite", "data.npz")]
    assert main.main(["convert", *paths[:2], "--quantize", "int8", "--data", paths[2]]) == 0
    expected = ka.lite.convert(model, quantize="int8", representative_data=data)
    assert (tmp_path / "model.tflite").read_bytes() == expected


def test_refusals_speak_of_options(saved, capsys):
    _, folder = saved
    np.savez(folder / "narrow.npz", x=np.zeros((4, 6, 2), "float32"))
    np.savez(sample := folder / "sample.npz", x=np.zeros((4, 6, 3), "float32"))
    command = folder / "model.keras", folder / "model.tflite"
    for options, says in (
        (["--quantize", "int8"], "--quantize int8 needs samples of the inputs"),
        (["--quantize", "int8"], "Give some hundred as --data."),
        (["--data", folder / "narrow.npz"], "--data is for --quantize int8 or int16x8"),
        (["--data", sample, "--quantize", "dynamic"], "Use one of them, or leave --data out."),
        (["--quantize", "int8", "--data", folder / "narrow.npz"], "--data must have samples of"),
        (["--quantize", "int8", "--ops", "fused"], "--quantize int8 is of no use with --ops fused"),
        (["--batch", "none"], "--batch must be a positive integer where the model has a loop"),
        (["--batch", "none"], "Received: --batch none. Give one, or use --ops fused."),
        (["--batch", "none", "--quantize", "int8", "--data", sample], "--batch must be"),
        (["--batch", "foo"], "argument --batch: must be a positive integer, received foo"),
        (["--batch", "0"], "must be a positive integer, received 0"),
        (["--wrong"], "usage: keras-addrnn convert"),
    ):
        message = refused(capsys, *command, *options)
        assert says in message
        assert "`" not in message
    assert not (folder / "model.tflite").exists()
