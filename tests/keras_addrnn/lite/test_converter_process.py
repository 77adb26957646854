"""TensorFlow's converter in a process of its own: what becomes of its errors and its end."""

import os
import signal
import tempfile
import threading

import keras
import pytest

import keras_addrnn as ka

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)

from keras_addrnn.lite import _converter_process
from tests.keras_addrnn.lite.models import UNITS, sequential


@pytest.fixture
def model():
    return sequential(ka.AddGRU(UNITS, name="memory"))


@pytest.fixture
def temporaries(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def when_it_works(monkeypatch, do):
    """Has `do` done with the process while it works on a model."""
    original = _converter_process._Process.answer

    def answer(self, folder):
        do(self)
        return original(self, folder)

    monkeypatch.setattr(_converter_process._Process, "answer", answer)


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT"])
def test_crash_is_an_error(model, name, monkeypatch, temporaries):
    content = ka.lite.convert(model)

    def crash(process):
        process.popen.send_signal(getattr(signal, name))
        process.popen.wait()

    with monkeypatch.context() as patched:
        when_it_works(patched, crash)
        with pytest.raises(
            ValueError, match=f"does not convert.*converter crashed .{name}"
        ) as told:
            ka.lite.convert(model)
    assert "\n" not in str(told.value)
    assert not list(temporaries.iterdir())
    assert ka.lite.convert(model) == content  # the next one gets a new process


def test_process_that_had_nothing_to_do_is_replaced(model, monkeypatch):
    content = ka.lite.convert(model)
    gone = _converter_process._started

    def leave(running):
        if running is gone:
            running.popen.stdin.close()
            running.popen.wait()
            running.popen.stdin = open(os.devnull, "w")

    when_it_works(monkeypatch, leave)
    assert ka.lite.convert(model) == content
    assert _converter_process._started is not gone


def test_process_that_cannot_start(model, monkeypatch):
    monkeypatch.setattr(_converter_process, "_started", None)
    monkeypatch.setattr(_converter_process.sys, "executable", "false")
    with pytest.raises(ValueError, match="ended with status 1: no message"):
        ka.lite.convert(model)


def test_process_is_kept_and_nothing_else(model, temporaries):
    ka.lite.convert(model)
    first = _converter_process._started.popen.pid
    ka.lite.convert(model)
    assert _converter_process._started.popen.pid == first
    assert not list(temporaries.iterdir())


def test_interrupted_question_gets_nobody_elses_answer(model, monkeypatch, temporaries):
    content = ka.lite.convert(model)

    def interrupt(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        when_it_works(patched, interrupt)
        with pytest.raises(KeyboardInterrupt):
            ka.lite.convert(model)
    assert not list(temporaries.iterdir())
    assert ka.lite.convert(model) == content


def test_several_threads():
    models = [sequential(ka.AddGRU(units)) for units in (3, 4, 5)]
    expected = [ka.lite.convert(model) for model in models]
    contents = [None] * len(models)

    def convert(place):
        contents[place] = ka.lite.convert(models[place])

    threads = [threading.Thread(target=convert, args=[place]) for place in range(len(models))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert contents == expected


def test_folder_that_was_deleted(model, monkeypatch, tmp_path):
    content = ka.lite.convert(model)
    before = os.getcwd()
    folder = tmp_path / "deleted"
    folder.mkdir()
    _converter_process._started.end()
    monkeypatch.setattr(_converter_process, "_started", None)
    monkeypatch.setattr(_converter_process.sys, "path", ["", *_converter_process.sys.path])
    os.chdir(folder)
    folder.rmdir()
    try:
        assert ka.lite.convert(model) == content
    finally:
        os.chdir(before)
