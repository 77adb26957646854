"""`keras-addrnn quantize`: the file that `integer.quantize` gives, or a line that says why not."""

import keras
import numpy as np
import pytest

import addrnn
import keras_addrnn as ka
from keras_addrnn_cli import main

pytestmark = pytest.mark.backend_neutral


@pytest.fixture
def saved(tmp_path):
    """A model, data for it in `data.npz`, and the folder that both are in."""
    rows = keras.Input((6, 3), name="rows")
    model = keras.Sequential([rows, ka.AddGRU(4), keras.layers.Dense(3)])
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).uniform(-1, 1, (50, 6, 3)).astype("float32")
    y = keras.ops.convert_to_numpy(model(x)).argmax(-1)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    return model, x, tmp_path


def run(folder, *options, data="data.npz", model="model.keras", output="model.safetensors"):
    arguments = [str(folder / model), str(folder / output)]
    if data is not None:
        arguments += ["--data", str(folder / data)]
    assert main.main(["quantize", *arguments, *options]) == 0
    return folder / output


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
    ka.quantization.quantize(model, x).save(expected)
    assert output.read_bytes() == expected.read_bytes()
    first, of_float, of_integers = capsys.readouterr().out.splitlines()
    size, weights = len(output.read_bytes()), 4 * model.count_params()
    assert f"{size / 1000:.1f} kB, {100 * size / weights:.0f} %" in first
    assert of_float == "accuracy, float    100.00 %"
    right = addrnn.load(output).predict(x).argmax(-1) == np.load(folder / "data.npz")["y"]
    assert of_integers == f"accuracy, integer  {100 * right.mean():.2f} %"


def test_options(saved):
    _, _, folder = saved
    options = ["--weight-bits", "4", "--state-bits", "9", "--input-bits", "5"]
    made = addrnn.load(run(folder, *options, "--rescale", "multiplier"))
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
    assert "answers of the shape (50, 3). Give one integer" in refused(
        capsys, folder, data="wrong.npz"
    )
    np.savez(folder / "wrong.npz", x=x, y=np.zeros(50))
    assert "must be integers. Received: dtype=float64. Write" in refused(
        capsys, folder, data="wrong.npz"
    )


@pytest.mark.parametrize("name", ["arr_0", "rows"])
def test_data_by_other_names(saved, name):
    model, x, folder = saved
    np.savez(folder / "other.npz", **{name: x})
    expected = run(folder).read_bytes()
    assert run(folder, data="other.npz").read_bytes() == expected


def test_data_with_too_many_names(saved, capsys):
    _, x, folder = saved
    np.savez(folder / "two.npz", a=x, b=x)
    message = refused(capsys, folder, data="two.npz")
    assert "or named 'rows' or 'x'. Received: ['a', 'b']" in message


def test_quantization_aware_model(saved, capsys):
    model, x, folder = saved
    aware = ka.quantization.quantization_aware(model, x, weight_bits=4)
    aware.save(folder / "aware.keras")
    ka.quantization.quantize(aware).save(folder / "expected.safetensors")
    expected = (folder / "expected.safetensors").read_bytes()
    assert run(folder, model="aware.keras", data=None).read_bytes() == expected
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert run(folder, model="aware.keras").read_bytes() == expected
    assert len(capsys.readouterr().out.splitlines()) == 3
    for options in (["--weight-bits", "8"], ["--rescale", "shift"]):
        message = refused(capsys, folder, *options, model="aware.keras", data=None)
        assert f"{options[0]} must be left out: model " in message
        assert "is quantization-aware" in message and "`" not in message


def test_where_nothing_can_be_written(saved, capsys):
    _, _, folder = saved
    before = (folder / "model.keras").read_bytes()
    assert "must be named *.safetensors" in refused(capsys, folder, output="model.keras")
    (folder / "link.safetensors").symlink_to(folder / "model.keras")
    assert "are the same file" in refused(capsys, folder, output="link.safetensors")
    (folder / "data.safetensors").symlink_to(folder / "data.npz")
    assert "are the same file" in refused(capsys, folder, output="data.safetensors")
    assert "a directory that exists" in refused(capsys, folder, output="none/model.safetensors")
    assert (folder / "model.keras").read_bytes() == before


def test_refusals_of_quantize(saved, capsys):
    _, _, folder = saved
    assert "--weight-bits must be an integer from 2 to 8" in refused(
        capsys, folder, "--weight-bits", "9"
    )
    assert "received foo" in refused(capsys, folder, "--weight-bits", "foo")
    assert "usage: keras-addrnn quantize" in refused(capsys, folder, "--bits", "4")
    assert "--data must be given" in refused(capsys, folder, data=None)
    np.savez(folder / "nan.npz", x=np.full((50, 6, 3), np.nan))
    assert "--data must hold finite numbers. Received: nan at index [0, 0, 0]" in refused(
        capsys, folder, data="nan.npz"
    )
    np.savez(folder / "none.npz")
    assert "np.savez(path, x=samples) writes" in refused(capsys, folder, data="none.npz")
    assert "invalid choice" in refused(capsys, folder, "--rescale", "float")
    assert "none.keras" in refused(capsys, folder, model="none.keras")
    keras.Sequential([keras.Input((6, 3)), ka.AddGRU(4, "tanh")]).save(folder / "tanh.keras")
    assert "Train it with" in refused(capsys, folder, model="tanh.keras")
    assert not (folder / "model.safetensors").exists()
