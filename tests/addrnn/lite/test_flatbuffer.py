"""The schema of LiteRT's files: whichever there is, or an error that says how to get one."""

import importlib
import pathlib
import subprocess
import sys
import types

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.schema_py_generated")

from ai_edge_litert import schema_py_generated

from addrnn.lite import _flatbuffer, _integer_file, _schema
from tests import integer_problems as support

ROOT = pathlib.Path(__file__).parents[3]
MODULES = (_schema, _flatbuffer, _integer_file)


def without_arguments(cls):
    """A class as TensorFlow 2.19 and 2.20 generate it: its constructor takes no arguments."""

    def __init__(self):
        cls.__init__(self)

    return type(cls.__name__, (cls,), {"__init__": __init__})


def schema_without_arguments():
    schema = types.ModuleType("schema_py_generated")
    for name, value in vars(schema_py_generated).items():
        if isinstance(value, type) and name.endswith("T") and hasattr(value, "InitFromObj"):
            value = without_arguments(value)
        setattr(schema, name, value)
    return schema


@pytest.fixture
def older_schema(monkeypatch):
    """The modules that use the schema, loaded anew with the older one."""
    import ai_edge_litert

    schema = schema_without_arguments()
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        schema.BufferT(np.zeros(3, np.uint8))
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "ai_edge_litert.schema_py_generated", schema)
        patched.setattr(ai_edge_litert, "schema_py_generated", schema)
        for module in MODULES:
            importlib.reload(module)
        yield schema
    for module in MODULES:
        importlib.reload(module)


def integer_file():
    rng = np.random.default_rng(0)
    layer = support.draw_layer(rng, 4, 5, state_bits=12, multiplier=True)
    file = _integer_file.IntegerFile()
    outputs, state = file.add_gru(layer, file.input("inputs", np.int8, (None, None, 4)))
    file.output("outputs", outputs)
    file.output("state", state)
    return file.content({"version": "1"})


def test_schema_whose_classes_take_no_arguments(older_schema):
    assert _flatbuffer.schema is older_schema
    content = integer_file()
    assert _flatbuffer.write(_flatbuffer.read(content)) == content
    for module in MODULES:
        importlib.reload(module)
    assert content == integer_file()


def run_without(modules, code):
    blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in modules)
    return subprocess.run(
        [sys.executable, "-c", f"import sys\n{blocked}{code}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_import_needs_neither_litert_nor_a_framework():
    result = run_without(
        ("ai_edge_litert", "tensorflow", "keras", "flatbuffers"),
        "import numpy as np, addrnn.lite\n"
        "from tests.integer_problems import draw_model\n"
        "model = draw_model(np.random.default_rng(0), 2, (3,), classes=2)\n"
        "for call in (lambda: addrnn.lite.convert_integer(model),\n"
        "             lambda: addrnn.lite.Interpreter(model_content=b'')):\n"
        "    try:\n"
        "        call()\n"
        "    except ImportError as error:\n"
        "        print(error)\n",
    )
    first, second = result.stdout.splitlines()
    assert "needs their schema" in first and "keras_addrnn[litert]" in first, result.stderr
    assert "needs LiteRT" in second and "keras_addrnn[litert]" in second


def test_importing_imports_nothing_of_litert():
    result = run_without(
        (), "import addrnn.lite\nprint({'ai_edge_litert', 'flatbuffers'} & set(sys.modules))"
    )
    assert result.stdout.strip() == "set()", result.stderr
