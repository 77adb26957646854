"""What importing each package does, and does not do."""

import subprocess
import sys

import keras
import pytest

import keras_addrnn as ka

pytestmark = pytest.mark.backend_neutral

FRAMEWORKS = {"tensorflow", "jax", "torch", "keras", "ai_edge_litert", "concrete", "safetensors"}


def imported_by(code):
    """The frameworks that a fresh process has imported after running `code`."""
    code = f"import sys; {code}; print(*sorted(set(sys.modules) & {FRAMEWORKS!r}))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


def test_addrnn_needs_numpy_alone():
    assert (
        imported_by("import addrnn; addrnn.__version__; addrnn.IntegerModel; addrnn.load") == set()
    )


@pytest.mark.parametrize("leaf", ["lite", "fhe"])
def test_leaves_import_no_training_framework(leaf):
    assert imported_by(f"import addrnn.{leaf}") <= {"ai_edge_litert"}


def test_keras_addrnn_imports_keras_and_only_the_backend_in_use():
    used = imported_by("import keras_addrnn; keras_addrnn.AddGRU(4)")
    backend = keras.backend.backend()
    assert {"keras", backend} <= used
    for other in ("tensorflow", "torch"):
        assert backend == other or other not in used


@pytest.mark.parametrize(
    "name",
    [
        "AddGRU",
        "AddGRUCell",
        "FakeQuantizedAddGRU",
        "FakeQuantizedDense",
        "FakeQuantizedMinAddGRU",
        "GateBias",
        "MinAddGRU",
    ],
)
def test_layers_are_registered_by_the_import(name):
    imported_by(
        "import keras_addrnn, keras; "
        f"assert keras.saving.get_registered_object('keras_addrnn>{name}').__name__ == {name!r}"
    )


def test_the_command_imports_keras_for_what_needs_it_alone():
    assert imported_by("from keras_addrnn_cli import main") == set()


def test_public_names():
    for name in ("layers", "ops", "lite", "quantization", "info", "__version__"):
        assert hasattr(ka, name)
    assert ka.layers.AddGRU is ka.AddGRU and callable(ka.ops.add_gru) and callable(ka.info)
    with pytest.raises(AttributeError, match="'keras_addrnn' has no attribute 'LSTM'"):
        ka.LSTM  # noqa: B018
