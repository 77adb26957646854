"""What importing the package does, and does not do."""

import subprocess
import sys

import keras
import pytest

import keras_addrnn as ka

pytestmark = pytest.mark.backend_neutral

FRAMEWORKS = {"tensorflow", "jax", "torch", "keras"}


def imported_by(code):
    """The frameworks that a fresh process has imported after running `code`."""
    code = f"import sys; {code}; print(*sorted(set(sys.modules) & {FRAMEWORKS!r}))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


def test_import_is_lazy():
    assert imported_by("import keras_addrnn; keras_addrnn.__version__; dir(keras_addrnn)") == set()


def test_only_the_backend_in_use_is_imported():
    used = imported_by("import keras_addrnn; keras_addrnn.AddGRU(4)")
    backend = keras.backend.backend()
    assert {"keras", backend} <= used
    assert backend == "tensorflow" or "tensorflow" not in used


def test_keras_imported_later_knows_the_layers():
    imported_by(
        "import keras_addrnn, keras; "
        "assert keras.saving.get_registered_object('keras_addrnn>AddGRU') is keras_addrnn.AddGRU"
    )


def test_asking_for_keras_first_is_no_import():
    imported_by(
        "import keras_addrnn, importlib.util; importlib.util.find_spec('keras'); import keras; "
        "assert keras.saving.get_registered_object('keras_addrnn>AddGRU') is keras_addrnn.AddGRU"
    )


def test_public_names():
    for name in ("AddGRU", "AddGRUCell", "layers", "ops", "info", "lite", "__version__"):
        assert name in ka.__all__ and name in dir(ka)
    assert ka.layers.AddGRU is ka.AddGRU and callable(ka.ops.add_gru) and callable(ka.info)
    with pytest.raises(AttributeError, match="'keras_addrnn' has no attribute 'LSTM'"):
        ka.LSTM  # noqa: B018
