"""The search names what it changes, and every variant can be made."""

import pathlib
import sys

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("the runs are of TensorFlow", allow_module_level=True)
for _needed in ("tensorflow_datasets", "jiwer", "matplotlib"):
    pytest.importorskip(_needed)

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def search(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import handwriting_search

    return handwriting_search


def test_settings_of_a_name(search):
    settings = search.settings_of("AddGRU norm max 4 falling rate 0.004")
    changed = {"norm": True, "falling": True, "max": "4", "rate": "0.004"}
    assert settings == {"layer": "AddGRU", **changed}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("AddGRU norm bound 4", r"'AddGRU norm bound 4': AddGRU has no \['bound'\]"),
        ("GRU max 4", r"'GRU max 4': GRU has no \['max'\]"),
        ("AddGRU rate", "shorter"),
    ],
)
def test_a_name_that_says_nothing(search, name, message):
    with pytest.raises(ValueError, match=message):
        search.settings_of(name)


def test_variants_differ_by_what_they_name(search):
    for names in search.VARIANTS.values():
        for name in names:
            settings = search.settings_of(name)
            layers = search.recurrent(settings).layers
            normalised = [isinstance(each, keras.layers.LayerNormalization) for each in layers]
            assert normalised == ([False, True] * 2 if "norm" in name else [False] * 2)
            first = layers[0].forward_layer
            assert type(first).__name__ == name.split()[0]
            assert first.units == round(128 * float(settings.get("width", 1)))
            if settings["layer"] == "AddGRU":
                assert first.cell.state_max == (4 if "max 4" in name else None)
                assert first.cell.activation.__name__ == settings.get("activation", "relu")
            gates = 2 if settings["layer"] == "AddGRU" else 3
            bias = keras.ops.convert_to_numpy(first.cell.bias).reshape(-1, gates, first.units)
            assert (bias[0, 0] == float(settings.get("bias", 0))).all()
            assert (bias[0, 1:] == 0).all() and (bias[1:] == 0).all()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--epochs", "10"], "digits need --data-dir"),
        (["--data", "digits", "--epochs", "30"], "there are variants of digits with 4, "),
    ],
)
def test_wrong_options(search, monkeypatch, capsys, flags, message):
    monkeypatch.setattr(sys, "argv", ["handwriting_search.py", *flags])
    with pytest.raises(SystemExit):
        search.main()
    assert message in capsys.readouterr().err
