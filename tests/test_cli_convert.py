"""`keras-addrnn convert`: the same file as `lite.convert` writes, or one line that says why not."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from keras_addrnn import cli

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="models are converted with TensorFlow"
)


@pytest.fixture
def saved(tmp_path):
    model = keras.Sequential([keras.Input((6, 3), name="x"), ka.AddGRU(4, name="layer")])
    model.save(tmp_path / "model.keras")
    return model, tmp_path


@pytest.mark.parametrize("ops", ["builtin", pytest.param("fused", marks=pytest.mark.fused)])
def test_writes_what_convert_writes(saved, ops, capsys):
    model, folder = saved
    output = folder / "model.tflite"
    command = ["convert", str(folder / "model.keras"), str(output), "--ops", ops, "--batch", "2"]
    assert cli.main(command) == 0
    assert output.read_bytes() == ka.lite.convert(model, ops=ops, batch_size=2)
    assert f"{ops} operators" in capsys.readouterr().out


def test_no_such_model(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["convert", str(tmp_path / "none.keras"), str(tmp_path / "none.tflite")])
    assert stopped.value.code == 1
    assert "none.keras" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_no_such_folder(saved, capsys):
    _, folder = saved
    with pytest.raises(SystemExit):
        cli.main(["convert", str(folder / "model.keras"), str(folder / "none" / "model.tflite")])
    assert "a directory that exists" in capsys.readouterr().err


@pytest.mark.parametrize("named", [False, True])
def test_quantised_with_data(saved, named, capsys):
    model, folder = saved
    x = np.random.default_rng(0).random((8, 6, 3)).astype("float32")
    np.savez(folder / "sample.npz", **{"x" if named else "arr_0": x})
    output = folder / "model.tflite"
    command = ["convert", str(folder / "model.keras"), str(output), "--quantize", "int8"]
    assert cli.main([*command, "--data", str(folder / "sample.npz")]) == 0
    expected = ka.lite.convert(model, quantize="int8", representative_data=x)
    assert output.read_bytes() == expected
    assert "builtin operators, int8" in capsys.readouterr().out


def test_data_that_are_no_arrays(saved, capsys):
    _, folder = saved
    (folder / "sample.npz").write_text("no arrays")
    command = ["convert", str(folder / "model.keras"), str(folder / "model.tflite")]
    for arguments, says in (
        (["--quantize", "int8"], "needs samples"),
        (["--data", str(folder / "sample.npz")], "sample.npz is not a file of arrays"),
        (["--data", str(folder / "none.npz")], "none.npz"),
    ):
        with pytest.raises(SystemExit) as stopped:
            cli.main([*command, *arguments])
        assert stopped.value.code == 1
        assert says in capsys.readouterr().err
    assert not (folder / "model.tflite").exists()
