"""Integer files in 64-bit Arm's LiteRT, with our delegate: the golden vectors, bit for bit.

Run in QEMU by `make test-aarch64-litert`.
"""

import numpy as np
import pytest

import addrnn.lite
from tests.addrnn.lite import aarch64
from tests.golden import integer as vectors

if aarch64.missing():
    pytest.skip("run by `make test-aarch64-litert`", allow_module_level=True)

from tests.addrnn.lite import integer

LAYERS = list(vectors.layer_cases(vectors.LAYER_GROUPS + vectors.MIN_LAYER_GROUPS))
MODELS = [*vectors.model_cases(), *vectors.model_cases("min_models")]
OPTIONAL = "initial_state", "mask", "initial_inputs"


def write(folder, name, content, case, *inputs):
    """A file to run there, and what to feed it."""
    (folder / f"{name}.tflite").write_bytes(content)
    given = {name: getattr(case, name) for name in inputs}
    np.savez(folder / f"{name}.npz", **{n: v for n, v in given.items() if v is not None})


@pytest.fixture(scope="module", params=aarch64.PROCESSORS)
def arm(tmp_path_factory, request):
    """What 64-bit Arm answers, by the file's name."""
    folder = tmp_path_factory.mktemp("files")
    for number, case in enumerate(LAYERS):
        given = {name: getattr(case, name) is not None for name in OPTIONAL}
        content = integer.layer_file(case.layer, **given)
        write(folder, f"layer{number}", content, case, "inputs", *given)
    for number, case in enumerate(MODELS):
        content = addrnn.lite.convert_integer(
            case.model, batch_size=None, mask=case.mask is not None
        )
        write(folder, f"model{number}", content, case, "inputs", "mask")
    aarch64.run(request.param, "answer", folder)
    return {path.stem: dict(np.load(path)) for path in folder.glob("*.answers")}


@pytest.mark.parametrize("number", range(len(LAYERS)), ids=lambda n: LAYERS[n].label)
def test_layer(arm, number):
    answers, case = arm[f"layer{number}"], LAYERS[number]
    assert {value.dtype for value in answers.values()} == {np.dtype(np.int16)}
    np.testing.assert_array_equal(answers["outputs"], case.outputs)
    np.testing.assert_array_equal(answers["state"], case.state)


@pytest.mark.parametrize("number", range(len(MODELS)), ids=lambda n: MODELS[n].label)
def test_model(arm, number):
    answers, case = arm[f"model{number}"], MODELS[number]
    assert answers["outputs"].dtype == case.outputs.dtype
    np.testing.assert_array_equal(answers["outputs"], case.outputs)


@pytest.mark.parametrize("kind", ["gru", "min", "dense"])
def test_hostile_files_are_refused(tmp_path, kind):
    path = tmp_path / "model.tflite"
    path.write_bytes(integer.file_to_edit(kind))
    aarch64.run("max", "refuse_integer", path, kind)
