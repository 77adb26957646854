"""The files that the command reads."""

import pathlib
import subprocess
import sys

import keras

import keras_addrnn as ka

ROOT = pathlib.Path(__file__).parents[2]


def test_model_is_read_by_a_process_that_has_imported_nothing_else(tmp_path):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((4, 3)), ka.AddGRU(2)]).save(path)
    code = f"from keras_addrnn_cli import files; print(files.read_model({str(path)!r}).name)"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "sequential" in result.stdout, result.stderr
