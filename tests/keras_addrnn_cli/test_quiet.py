"""Programs that a person reads show their own words alone."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.backend_neutral


def run(code, **environment):
    without = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", code], env={**without, **environment}, capture_output=True, text=True
    )


def test_importing_keras_shows_nothing_and_errors_are_shown_afterwards():
    code = (
        "import sys\n"
        "from keras_addrnn_cli import quiet\n"
        "print('before', file=sys.stderr)\n"
        "keras = quiet.import_keras()\n"
        "keras.ops.ones(3) + 1\n"
        "print('after', file=sys.stderr)\n"
        "raise SystemExit(keras.__name__)\n"
    )
    assert run(code).stderr == "before\nafter\nkeras\n"


def test_warnings_of_tensorflow_are_not_shown_either():
    code = (
        "import logging, sys\n"
        "from keras_addrnn_cli import quiet\n"
        "sys.modules['keras'] = 'is there already'\n"
        "quiet.import_keras()\n"
        "logger = logging.getLogger('tensorflow')\n"
        "print([logger.isEnabledFor(level) for level in (logging.WARNING, logging.ERROR)])\n"
    )
    assert run(code).stdout == "[False, True]\n"
    assert run(code, TF_CPP_MIN_LOG_LEVEL="0").stdout == "[True, True]\n"


def test_keras_that_cannot_be_imported():
    code = (
        "import sys; sys.modules['keras'] = None\n"
        "from keras_addrnn_cli import quiet\n"
        "quiet.import_keras()\n"
    )
    assert "ModuleNotFoundError" in run(code).stderr


def test_a_setting_that_is_given_is_obeyed():
    code = (
        "import os, sys\n"
        "from keras_addrnn_cli import quiet\n"
        "sys.modules['keras'] = 'is there already'\n"
        "print(quiet.import_keras(), os.environ['TF_CPP_MIN_LOG_LEVEL'])\n"
    )
    assert run(code).stdout == "is there already 3\n"
    assert run(code, TF_CPP_MIN_LOG_LEVEL="0").stdout == "is there already 0\n"
