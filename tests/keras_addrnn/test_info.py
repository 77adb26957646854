"""What `info()` and `keras-addrnn info` tell, with the op and without it."""

import os
import pathlib
import subprocess
import sys

import pytest

import keras_addrnn as ka
from addrnn import _libraries
from addrnn.tensorflow import _library
from keras_addrnn_cli import main

# Stands in for a package whose library was not built: everything but the compiled files.
WITHOUT_LIBRARY = """
import keras, numpy as np
from addrnn import _libraries
import pathlib
_libraries.TENSORFLOW_OP = pathlib.Path("/nowhere/libaddrnn_tf.so")
import keras_addrnn as ka
info = ka.info()
assert not info["fused"] and "missing" in info["why_not"] and "make setup" in info["why_not"], info
assert info["library"] is None and info["instruction_set"] is None
assert ka.AddGRU(3)(np.zeros((2, 4, 5), "float32")).shape == (2, 3)
try:
    ka.AddGRU(3, implementation="fused")(np.zeros((2, 4, 5), "float32"))
except ValueError as error:
    assert "/nowhere" in str(error) and "make setup" in str(error), error
else:
    raise AssertionError("fused without a library")
"""


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
        | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.fused
def test_tells_of_the_op_in_use():
    info = ka.info()
    assert info["fused"] is True
    assert info["why_not"] is None
    assert pathlib.Path(info["library"]).is_file()
    assert info["instruction_set"] in info["available_instruction_sets"]
    assert info["available_instruction_sets"][-1] in ("baseline", "neon")
    assert info["threads"] >= 1


def test_tells_the_backend(monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "openvino")
    info = ka.info()
    assert info["backend"] == "openvino"
    assert info["fused"] is False
    assert "KERAS_BACKEND" in info["why_not"]
    assert info["threads"] is None


def test_without_the_library():
    done = run(WITHOUT_LIBRARY)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.fused
def test_library_of_another_version(monkeypatch):
    monkeypatch.setattr(_library, "__version__", "99.0")
    loaded = _library._load.__wrapped__()
    assert "was built for keras_addrnn 0" in loaded.problem


@pytest.mark.fused
def test_file_that_is_no_library(monkeypatch, tmp_path):
    broken = tmp_path / "libaddrnn_tf.so"
    broken.write_bytes(b"not a library")
    monkeypatch.setattr(_libraries, "TENSORFLOW_OP", broken)
    assert "cannot be loaded" in _library._load.__wrapped__().problem


@pytest.mark.fused
def test_unknown_instruction_set_is_an_error():
    done = run("import keras_addrnn as ka; ka.info()", KERAS_ADDRNN_ISA="mmx")
    assert done.returncode != 0
    assert "KERAS_ADDRNN_ISA is 'mmx'" in done.stderr
    assert ka.info()["available_instruction_sets"][-1] in done.stderr


@pytest.mark.fused
@pytest.mark.parametrize("threads", [1, 2])
def test_as_many_threads_as_tensorflow_was_told(threads):
    done = run(
        "import tensorflow as tf\n"
        f"tf.config.threading.set_intra_op_parallelism_threads({threads})\n"
        "import keras_addrnn as ka; print(ka.info()['threads'])"
    )
    assert done.stdout.strip() == str(threads), done.stderr[-2000:]


def test_command_line(capsys):
    assert main.main(["info"]) == 0
    printed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert printed["version"] == ka.__version__
    assert printed["fused"] == str(ka.info()["fused"])
    assert printed.keys() == ka.info().keys()


def test_command_line_without_a_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main.main([])
    assert stop.value.code == 2
    assert "command" in capsys.readouterr().err


@pytest.mark.fused
def test_first_use_by_many_threads_at_once():
    done = run(
        "import threading, keras_addrnn as ka\n"
        "from addrnn.tensorflow import _library\n"
        "barrier, problems = threading.Barrier(16), []\n"
        "def use():\n"
        "    barrier.wait()\n"
        "    try: _library.load()\n"
        "    except Exception as error: problems.append(error)\n"
        "threads = [threading.Thread(target=use) for _ in range(16)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "assert not problems, problems\n"
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_setting_that_is_not_possible_is_one_line():
    code = "from keras_addrnn_cli.main import main; main(['info'])"
    ran = run(code, KERAS_ADDRNN_ISA="avx1024")
    assert ran.returncode == 1 and "avx1024" in ran.stderr and "Traceback" not in ran.stderr


def test_runs_as_a_module():
    ran = subprocess.run(
        [sys.executable, "-m", "keras_addrnn_cli", "--version"], capture_output=True
    )
    assert ran.stdout.decode().strip() == ka.__version__
