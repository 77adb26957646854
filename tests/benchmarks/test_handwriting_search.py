"""The search names what it changes, and every variant can be made."""

import types

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("the runs are of TensorFlow", allow_module_level=True)
from benchmarks import handwriting_search as search  # noqa: E402
from benchmarks._harness import machine  # noqa: E402


def test_settings_of_a_name():
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
def test_a_name_that_says_nothing(name, message):
    with pytest.raises(ValueError, match=message):
        search.settings_of(name)


def test_variants_differ_by_what_they_name():
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
        (["--run", "--match", "data=digits"], "need --data-dir, the IDX files of MNIST"),
        (["--match", "("], "'(' is no regular expression: missing )"),
    ],
)
def test_wrong_options(monkeypatch, tmp_path, capsys, flags, message):
    monkeypatch.setattr(machine, "RESULTS", tmp_path)  # with no records
    with pytest.raises(SystemExit):
        search.EXPERIMENT.main(flags)
    assert message in capsys.readouterr().err


def test_texts_become_classes():
    classes, fits = search.encode(["ab", "aab?", "aaaa"], "ab", steps=6)
    assert fits == [0, 1]  # the last needs a blank between each two: seven steps
    assert classes.tolist() == [[2, 3, 0, 0, 0, 0], [2, 2, 3, 1, 0, 0]]


def test_an_image_keeps_its_proportions():
    ink = np.zeros((10, 20, 1), "uint8")  # black
    image = search.fit_image(ink)
    assert image.shape == (32, 128, 1)
    assert (image[:, :64] == 1).all() and (image[:, 64:] == 0).all()
    image = search.fit_image(np.zeros((2, 128, 1), "uint8"))
    assert (image.sum((1, 2)) > 0).sum() == 2 and image[15:17].all()


def test_a_variant_trains(monkeypatch):
    rng = np.random.default_rng(0)
    images = rng.random((8, 32, 128, 1)).astype("float32")
    monkeypatch.setattr(search, "load", lambda *_: 2 * [(images, 8 * ["ab"])])
    monkeypatch.setattr(machine, "use_threads", lambda _: None)
    kept = []
    settings = {"data": "digits", "epochs": 2, "variant": "GRU norm falling", "seed": 0}
    options = types.SimpleNamespace(data_dir=None)
    search.run(settings, options, lambda _, result: kept.append(result))
    (result,) = kept
    assert len(result["loss"]) == len(result["val_loss"]) == 2
    assert result["cer"] <= 1 and result["processor_seconds"] > 0
