"""64-bit Arm's LiteRT, with the delegate compiled for it, answers as this machine's does.

`make test-aarch64-litert` compiles the delegate, brings a Python with LiteRT, and runs these tests,
which run that Python in QEMU.
"""

import functools
import itertools

import keras
import numpy as np
import pytest

import addrnn.lite
import keras_addrnn as ka
from tests.addrnn.lite import aarch64
from tests.keras_addrnn.layers import common

if aarch64.missing():
    pytest.skip("run by `make test-aarch64-litert`", allow_module_level=True)

from tests.keras_addrnn.lite import models

FORMS = ("builtin", "fused")
SMALL_WEIGHTS = ("float16", "dynamic")  # of the operator; the second are int8


def layers(sizes, *settings):
    """A model of AddGRU layers one after another, and sequences for it."""
    batch, steps, features, units = sizes
    model = keras.Sequential([keras.Input((None, features), name="rows")])
    for number, each in enumerate(settings):
        model.add(ka.AddGRU(**common.lively(units + number), return_sequences=True, **each))
        # States that neither explode nor die, whatever the number of units.
        layer = model.layers[-1]
        layer.cell.recurrent_kernel.assign(0.5 * layer.cell.recurrent_kernel / units**0.5)
    return model, {"rows": common.sequences(batch, steps, features)}


def one_step():
    """A step of a stream, in the middle of it."""
    stream = ka.lite.streaming_model(
        keras.Sequential(
            [
                keras.Input((None, 3)),
                ka.AddGRU(**common.lively(33), return_sequences=True, name="first"),
                keras.layers.LayerNormalization(),
                ka.AddGRU(**common.lively(8), name="second"),
                keras.layers.Dense(2),
            ]
        )
    )
    rng = np.random.default_rng(0)
    states = {"first_state": (1, 33), "second_state": (1, 8)}
    feed = {name: rng.random(shape, "float32") for name, shape in states.items()}
    return stream, {"steps": common.sequences(1, 1, 3), **feed}


def masked():
    model, inputs = models.masked(slice(2, 5), zero_output_for_mask=True)
    return model, {"rows": inputs}


def bidirectional():
    model = models.sequential(keras.layers.Bidirectional(ka.AddGRU(9)), keras.layers.Dense(3))
    return model, {"rows": models.sequences(2)}


# Sizes around the kernels' tiles, of few rows and of many; every setting.
OF_ADDGRU_ALONE = {
    "smallest": lambda: layers((1, 1, 1, 1), {"activation": "linear", "state_shift": 1.5}),
    "stream": lambda: layers((1, 100, 40, 128), {}),
    "two_rows": lambda: layers((2, 49, 3, 33), {}),
    "five_rows": lambda: layers((5, 9, 7, 7), {}),
    "tile": lambda: layers((6, 3, 9, 16), {}),
    "more_than_tiles": lambda: layers((13, 5, 5, 31), {}),
    "linear": lambda: layers((1, 7, 3, 5), {"activation": "linear", "state_shift": 0.5}),
    "hard_tanh": lambda: layers((7, 7, 3, 5), {"activation": "hard_tanh", "state_max": 0.5}),
    "tanh": lambda: layers((3, 7, 3, 9), {"activation": "tanh", "go_backwards": True}),
    "stacked": lambda: layers((2, 7, 3, 17), {}, {"state_shift": 0.25}, {"state_max": 1.0}),
}
WITH_OTHER_LAYERS = {
    "others_around": lambda: (models.stacked(), {"rows": models.sequences(2)}),
    "masked": masked,
    "bidirectional": bidirectional,
    "one_step": one_step,
}


@functools.cache
def case(name):
    """The model and its inputs by name; the same weights at each call."""
    return {**OF_ADDGRU_ALONE, **WITH_OTHER_LAYERS}[name]()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder of converted models of each case and form, and of what to feed them."""
    folder = tmp_path_factory.mktemp("files")
    for name, form in itertools.product((*OF_ADDGRU_ALONE, *WITH_OTHER_LAYERS), FORMS):
        model, inputs = case(name)
        path = folder / f"{name}-{form}.tflite"
        batch_size = len(next(iter(inputs.values())))
        ka.lite.convert(model, path, ops=form, batch_size=batch_size)
        np.savez(path.with_suffix(".npz"), **inputs)
    for weights in SMALL_WEIGHTS:
        model, inputs = case("stacked")
        path = folder / f"stacked-{weights}.tflite"
        ka.lite.convert(model, path, ops="fused", batch_size=2, quantize=weights)
        np.savez(path.with_suffix(".npz"), **inputs)
    return folder


@pytest.fixture(scope="module", params=aarch64.PROCESSORS)
def arm(files, request):
    """What 64-bit Arm answers, by the file's name."""
    aarch64.run(request.param, "answer", files)
    return {path.stem: dict(np.load(path)) for path in files.glob("*.answers")}


def assert_close(got, wanted):
    wanted = np.asarray(wanted)
    assert got.shape == wanted.shape
    assert np.abs(wanted).max() > 0.01
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize(
    "file",
    [
        *(f"{name}-{form}" for name in (*OF_ADDGRU_ALONE, *WITH_OTHER_LAYERS) for form in FORMS),
        *(f"stacked-{weights}" for weights in SMALL_WEIGHTS),
    ],
)
def test_answers_are_this_machines(arm, files, file):
    run = addrnn.lite.Interpreter(files / f"{file}.tflite").get_signature_runner()
    with np.load(files / f"{file}.npz") as inputs:
        here = run(**inputs)
    assert arm[file].keys() == here.keys()
    for output, value in here.items():
        assert_close(arm[file][output], value)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", OF_ADDGRU_ALONE)
def test_answers_are_those_of_the_reference(arm, name, form):
    model, inputs = case(name)
    value = inputs["rows"]
    for layer in model.layers:
        value, _ = common.expected(layer, value)
    (answer,) = arm[f"{name}-{form}"].values()
    assert_close(answer, value)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", WITH_OTHER_LAYERS)
def test_answers_are_those_of_keras(arm, name, form):
    model, inputs = case(name)
    values = [inputs[tensor.name] for tensor in model.inputs]
    expected = keras.tree.flatten(model(values if len(values) > 1 else values[0]))
    answers = arm[f"{name}-{form}"]
    assert len(answers) == len(expected)
    for value in expected:
        (answer,) = (a for a in answers.values() if a.shape == tuple(value.shape))
        assert_close(answer, value)


def test_hostile_files_are_refused(tmp_path):
    inputs = keras.Input((3, 4), name="rows")
    mask, state = keras.Input((3,), dtype="bool"), keras.Input((5,))
    layer = ka.AddGRU(5, return_sequences=True, return_state=True)
    model = keras.Model([inputs, mask, state], layer(inputs, mask=mask, initial_state=state))
    ka.lite.convert(model, tmp_path / "model.tflite", ops="fused", batch_size=2)
    aarch64.run("max", "refuse", tmp_path / "model.tflite")
