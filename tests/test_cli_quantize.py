"""`keras-addrnn quantize`: the file that `integer.quantize` gives, or a line that says why not."""

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from keras_addrnn import cli

pytestmark = pytest.mark.backend_neutral


@pytest.fixture
def saved(tmp_path):
    """A model, data for it in `data.npz`, and the folder that both are in."""
    model = keras.Sequential([keras.Input((6, 3)), ka.AddGRU(4), keras.layers.Dense(3)])
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).uniform(-1, 1, (50, 6, 3)).astype("float32")
    y = keras.ops.convert_to_numpy(model(x)).argmax(-1)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    return model, x, tmp_path


def run(folder, *options, data="data.npz", model="model.keras"):
    output = folder / "model.safetensors"
    arguments = [str(folder / model), str(output), "--data", str(folder / data)]
    assert cli.main(["quantize", *arguments, *options]) == 0
    return output


def refused(capsys, *arguments, **files):
    with pytest.raises(SystemExit) as stopped:
        run(*arguments, **files)
    assert stopped.value.code
    message = capsys.readouterr().err
    assert "Traceback" not in message
    return message


def test_writes_what_quantize_gives(saved, capsys):
    model, x, folder = saved
    output = run(folder)
    expected = folder / "expected.safetensors"
    ka.integer.quantize(model, x).save(expected)
    assert output.read_bytes() == expected.read_bytes()
    first, of_float, of_integers = capsys.readouterr().out.splitlines()
    size, weights = len(output.read_bytes()), 4 * model.count_params()
    assert f"{size / 1000:.1f} kB, {100 * size / weights:.0f} %" in first
    assert of_float == "accuracy, float    100.00 %"
    right = ka.integer.load(output).predict(x).argmax(-1) == np.load(folder / "data.npz")["y"]
    assert of_integers == f"accuracy, integer  {100 * right.mean():.2f} %"


def test_options(saved):
    _, _, folder = saved
    options = ["--weight-bits", "4", "--state-bits", "9", "--input-bits", "5"]
    made = ka.integer.load(run(folder, *options, "--rescale", "multiplier"))
    layer = made.layers[0]
    assert (layer.weight_bits, layer.state_bits, made.inputs.bits) == (4, 9, 5)
    assert layer.multiplier is not None


def test_without_labels(saved, capsys):
    _, x, folder = saved
    np.savez(folder / "x.npz", x=x)
    run(folder, data="x.npz")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_labels_that_do_not_fit(saved, capsys):
    _, x, folder = saved
    np.savez(folder / "wrong.npz", x=x, y=np.zeros((50, 6), int))
    assert "do not fit answers of the shape (50, 3)" in refused(capsys, folder, data="wrong.npz")
    np.savez(folder / "wrong.npz", x=x, y=np.zeros(50))
    assert "must hold integers as labels" in refused(capsys, folder, data="wrong.npz")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04" + b"\0" * 50, b"some text", b"\x93NUMPY\x01\x00v\x00{"]
)
def test_data_of_something_else(saved, capsys, content):
    _, _, folder = saved
    (folder / "bad.npz").write_bytes(content)
    assert "is not an .npz file" in refused(capsys, folder, data="bad.npz")


def test_other_data(saved, capsys):
    _, x, folder = saved
    np.savez(folder / "z.npz", z=x)
    assert "holds no array `x`" in refused(capsys, folder, data="z.npz")
    np.savez(folder / "objects.npz", x=np.array([{}], object))
    assert "is not an .npz file" in refused(capsys, folder, data="objects.npz")
    with (folder / "one.npz").open("wb") as file:
        np.save(file, x)
    assert "is not an .npz file" in refused(capsys, folder, data="one.npz")
    assert "none.npz" in refused(capsys, folder, data="none.npz")


def test_refusals_of_quantize(saved, capsys):
    _, _, folder = saved
    assert "from 2 to 8" in refused(capsys, folder, "--weight-bits", "9")
    assert "invalid choice" in refused(capsys, folder, "--rescale", "float")
    assert "none.keras" in refused(capsys, folder, model="none.keras")
    keras.Sequential([keras.Input((6, 3)), ka.AddGRU(4, "tanh")]).save(folder / "tanh.keras")
    assert "Train it with" in refused(capsys, folder, model="tanh.keras")
    assert not (folder / "model.safetensors").exists()
